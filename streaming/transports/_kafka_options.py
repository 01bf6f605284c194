"""What can be said in the URL of a Kafka cluster, checked; the same for every client library.

A secret is never in the URL, which appears in process lists and logs: ``password``, ``token`` and
``key_password`` are references (``env:NAME``, ``file:PATH``) that the command line resolves.
"""

from __future__ import annotations

import difflib
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from streaming.errors import Stop
from streaming.transports.base import Secret

OPTIONS: Mapping[str, str] = {
    "prefix": "begins the names of groups, transactional ids, cursor topics and triage.* topics",
    "member": "this process's own name in its groups: after a restart it keeps its partitions",
    "client_id": "how the broker's logs and quotas call this process",
    "compression": "of what is published: lz4 (default), zstd, gzip or none",
    "security": "plaintext (default) or tls; with sasl it must be given",
    "ca": "file with the certificates that sign the brokers' (default: the system's)",
    "cert": "file with our certificate chain, where brokers ask for one",
    "key": "file with its key",
    "key_password": "reference to the key's password: env:NAME or file:PATH",
    "sasl": "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
    "user": "user of PLAIN and SCRAM",
    "password": "reference to its password: env:NAME or file:PATH",
    "token": "reference to OAUTHBEARER's token, read anew for each connection",
}
"""Option -> what it says. ``docs/kafka.md`` has the same table."""

COMPRESSIONS = ("lz4", "zstd", "gzip", "none")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
ONLY_TLS = ("ca", "cert", "key", "key_password")
ONLY_SASL = ("user", "password", "token")
NAMES = ("prefix", "member")  # they are parts of the names of topics and group members
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
ADDRESS = re.compile(r"([^\s:@]+|\[[0-9A-Fa-f:.%]+\]):(?P<port>[0-9]{1,5})")
REFERENCES = ("env:", "file:")
USAGE = "write kafka://HOST:PORT,HOST:PORT?option=value&option=value"


@dataclass(frozen=True, slots=True)
class Tls:
    """How connections are encrypted.

    Attributes:
        context: the same as Python's ssl takes it; it has been made, so the files can be used.
    """

    context: ssl.SSLContext = field(repr=False)
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sasl:
    """Who we are: by ``user`` and ``password``, or by a token, asked for anew each time."""

    mechanism: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: Callable[[], str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """How to reach a cluster, and what we are called there."""

    bootstrap: tuple[str, ...]
    prefix: str = "triage"
    member: str | None = None
    compression: str = "lz4"
    client_id: str | None = None
    tls: Tls | None = None
    sasl: Sasl | None = None

    @property
    def name(self) -> str:
        """The brokers' addresses, for messages."""
        return ",".join(self.bootstrap)

    @property
    def protocol(self) -> str:
        """Kafka's ``security.protocol``."""
        return ("SASL_" if self.sasl else "") + ("SSL" if self.tls else "PLAINTEXT")


def parse(url: str, secret: Secret) -> KafkaOptions:
    """Read a URL. Raises Stop that names what is wrong; the URL itself is not repeated whole."""
    place, _, query = url.partition(":")[2].partition("?")
    bootstrap = tuple(address for address in place.strip("/").split(",") if address)
    if not bootstrap or "@" in place:
        raise Stop(f"kafka: names no broker: {USAGE} (user=, password= and sasl= are options)")
    for address in bootstrap:
        found = ADDRESS.fullmatch(address)
        if not found or not 0 < int(found["port"]) < 1 << 16:
            raise Stop(f"kafka: {address}: is not HOST:PORT: {USAGE}")
    given = parse_qsl(query, keep_blank_values=True)
    options = dict(given)
    if len(options) < len(given):
        twice = next(name for name, _ in given if [n for n, _ in given].count(name) > 1)
        raise Stop(f"kafka: {twice}: is given twice: say it once")
    for name, value in options.items():
        _check(name, value, options)
    return KafkaOptions(
        bootstrap,
        options.get("prefix", "triage"),
        options.get("member"),
        options.get("compression", "lz4"),
        options.get("client_id"),
        _tls(options, secret) if options.get("security") == "tls" else None,
        _sasl(options, secret) if "sasl" in options else None,
    )


def _check(name: str, value: str, options: Mapping[str, str]) -> None:
    if name not in OPTIONS:
        near = difflib.get_close_matches(name, OPTIONS, n=1)
        hint = f', did you mean "{near[0]}"?' if near else f"; known are {', '.join(OPTIONS)}"
        raise Stop(f"kafka: {name}: unknown option{hint}")
    if not value:
        raise Stop(f"kafka: {name}: is empty: {OPTIONS[name]}")
    if name in ("password", "token", "key_password") and not value.startswith(REFERENCES):
        raise Stop(
            f"kafka: {name}: write env:NAME or file:PATH, never the secret itself: the URL can be"
            " seen in process lists"
        )
    if name in ONLY_TLS and options.get("security") != "tls":
        raise Stop(f"kafka: {name}: is of use with security=tls only")
    if name in ONLY_SASL and "sasl" not in options:
        raise Stop(f"kafka: {name}: is of use with sasl only: say sasl={'|'.join(MECHANISMS)}")
    if name in NAMES and not NAME.fullmatch(value):
        raise Stop(
            f"kafka: {name}={value}: may hold letters, digits, dots, hyphens and underscores, up to"
            " 100 of them"
        )
    if name == "prefix" and value.startswith("triage."):
        raise Stop(f"kafka: prefix={value}: may be triage, but not begin with triage.")
    choices = {
        "compression": COMPRESSIONS,
        "sasl": MECHANISMS,
        "security": ("plaintext", "tls"),
    }.get(name)
    if choices and value not in choices:
        raise Stop(f"kafka: {name}={value}: choose {', '.join(choices)}")
    if name in ("ca", "cert", "key") and not Path(value).is_file():
        raise Stop(f"kafka: {name}={value}: there is no such file")


def _sasl(options: Mapping[str, str], secret: Secret) -> Sasl:
    mechanism = options["sasl"]
    if "security" not in options:
        raise Stop(
            "kafka: sasl: say security=tls, or security=plaintext if the secret may be seen on the"
            " network"
        )
    needed = ("token",) if mechanism == "OAUTHBEARER" else ("user", "password")
    if missing := [name for name in needed if name not in options]:
        raise Stop(f"kafka: sasl={mechanism}: needs {' and '.join(missing)}")
    if mechanism == "OAUTHBEARER":
        secret(options["token"])  # a reference to nothing is told at once
        return Sasl(mechanism, token=lambda: secret(options["token"]))
    return Sasl(mechanism, options["user"], secret(options["password"]))


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when nobody holds it: kafka-python drops the socket of a failed handshake."""

    def __del__(self) -> None:
        self.close()


def _no_password() -> str:
    raise Stop("kafka: key: is encrypted: say where its password is with key_password")


def _tls(options: Mapping[str, str], secret: Secret) -> Tls:
    try:
        context = ssl.create_default_context(cafile=options.get("ca"))
    except (ssl.SSLError, OSError) as error:
        raise Stop(
            f"kafka: ca={options.get('ca')}: no certificates can be read from it ({error}): give a"
            " PEM file with those that sign the brokers'"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _ClosingSocket
    if ("cert" in options) != ("key" in options):
        raise Stop("kafka: cert and key: give both or none")
    password = secret(options["key_password"]) if "key_password" in options else None
    if "cert" in options:
        try:
            # without a function OpenSSL would ask for the password on the terminal
            context.load_cert_chain(options["cert"], options["key"], password or _no_password)
        except (ssl.SSLError, OSError) as error:
            raise Stop(
                f"kafka: cert and key can't be used ({error}): check that both are PEM files, that"
                " they belong together"
                + (", and key_password" if "key_password" in options else "")
            ) from error
    return Tls(context, options.get("ca"), options.get("cert"), options.get("key"), password)
