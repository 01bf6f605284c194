"""The pages before the board, without scripts. All that comes from outside is escaped here."""

from __future__ import annotations

from html import escape

from fastapi.responses import Response

from triage_ui.plain_page import plain_page
from triage_ui.settings import BoardSettings

NEW = ("new-password", 'minlength="12"')


def sign_in(settings: BoardSettings, target: str, name: str = "", wrong: str = "") -> Response:
    """The page of someone who isn't signed in."""
    form = (
        _input("Name", "name", "username", value=name, focus=not name)
        + _input("Password", "password", "current-password", kind="password", focus=bool(name))
        + _hidden("next", target)
    )
    body = _wrong(wrong) + _form("/sign-in", form, "Sign in") + _help(settings)
    change = '<p><a href="/sign-in/change">Change a password</a></p>'
    return plain_page(settings.product, "Sign in", body + change, 200)


def link(settings: BoardSettings, token: str, target: str) -> Response:
    """The page of a sign-in link."""
    fields = _hidden("token", token) + _hidden("next", target)
    body = _form("/sign-in", fields, "Continue", focus=True)
    body += "<p>This link signs in this browser, once.</p>"
    return plain_page(settings.product, "Sign in to the board", body, 200)


def choose(
    settings: BoardSettings, name: str, token: str, target: str, wrong: str = ""
) -> Response:
    """The page of a link that sets a password."""
    form = (
        _input("Name", "name", "username", value=name, more="readonly")
        + _input("New password", "new", *NEW, kind="password", focus=True)
        + _input("The same again", "again", *NEW, kind="password")
        + _hidden("token", token)
        + _hidden("next", target)
    )
    body = _wrong(wrong) + _form("/sign-in/password", form, "Set password and sign in")
    body += "<p>At least 12 characters. Several words are easier to keep in mind.</p>"
    return plain_page(settings.product, "Choose a password", body, 422 if wrong else 200)


def change(settings: BoardSettings, name: str = "", wrong: str = "") -> Response:
    """The page to change a password that one knows."""
    form = (
        _input("Name", "name", "username", value=name, focus=not name)
        + _input("Password", "password", "current-password", kind="password", focus=bool(name))
        + _input("New password", "new", *NEW, kind="password")
        + _input("The same again", "again", *NEW, kind="password")
    )
    body = _wrong(wrong) + _form("/sign-in/change", form, "Change and sign in")
    body += "<p>Other browsers in which you are signed in are signed out.</p>"
    return plain_page(settings.product, "Change your password", body, 200)


def used(settings: BoardSettings) -> Response:
    """The page of a link that can't be used."""
    body = f"<p>A link works once, for a time.</p>{_help(settings)}"
    body += '<p><a href="/sign-in">Sign in with a password</a></p>'
    return plain_page(settings.product, "This link no longer works", body, 401)


def _form(action: str, fields: str, button: str, focus: bool = False) -> str:
    on = " autofocus" if focus else ""
    return (
        f'<form method="post" action="{action}">{fields}'
        f'<button type="submit"{on}>{escape(button)}</button></form>'
    )


def _input(
    label: str,
    name: str,
    complete: str,
    more: str = "",
    *,
    kind: str = "text",
    value: str = "",
    focus: bool = False,
) -> str:
    on = " autofocus" if focus else ""
    plain = ' autocapitalize="none" spellcheck="false"' if kind == "text" else ""
    return (
        f'<label>{escape(label)}<input name="{name}" type="{kind}" value="{escape(value)}"'
        f' autocomplete="{complete}" maxlength="256" required {more}{plain}{on}></label>'
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _wrong(text: str) -> str:
    return f'<p class="wrong" role="alert">{escape(text)}</p>' if text else ""


def _help(settings: BoardSettings) -> str:
    text = escape(settings.sign_in_help)
    while text.count("`") >= 2:
        text = text.replace("`", "<code>", 1).replace("`", "</code>", 1)
    return f"<p>{text}</p>"
