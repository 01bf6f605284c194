"""Two hundred texts of an attacker in every place where a stream can put text.

Each is seen in the queue and its preview, every twelfth on the pages of its cluster and entity.

Nothing runs, nothing is asked of another host, nothing is said in the console, nothing is pushed
out of its place, and exports hold no formula.
"""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Page

from tests.browser.conftest import sign_in
from tests.browser.seeing import SELECTED
from tests.support.cases import LEAD, a_reason
from tests.support.hostile import PAYLOADS
from tests.unit.triage_ui.serving import Served
from triage.model import Actor, VerdictKind
from triage_ui.entity import entity_address

AT_LEAST = 200
SIGNS = ("=", "+", "-", "@", "\uff1d")
SKIPPED = " \t\r\n\u00a0\ufeff\0\u200b"
DECIDED = 40  # clusters decided by somebody with a hostile name, for hostile reasons
KINDS = (VerdictKind.REAL, VerdictKind.SPURIOUS, VerdictKind.EXPECTED, VerdictKind.UNSURE)
WHOLE = """() => {
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    const bar = document.querySelector(".top-bar").getBoundingClientRect();
    const tall = [...document.querySelectorAll(".queue-grid .ag-row")]
        .filter((row) => Math.abs(row.offsetHeight - 46) > 1).length;
    const active = document.querySelectorAll(
        "#main script, #main iframe, #main object, #main embed, #main form, #main base, #main meta,"
        + " #main link, #main img, #main video, #main audio, #main [onerror], #main [onload],"
        + " #main [onclick], a[href^='javascript' i], a[href*='evil.example']");
    return [wide > 0 && "wider than the window", (bar.top !== 0 || bar.height > 60) && "bar moved",
        tall && "rows of another height", active.length && active[0].outerHTML.slice(0, 200),
    ].filter(Boolean);
}"""


def hostile(board: Served) -> tuple[list[str], str]:
    """Make a cluster of each text, and one that holds them all; return their ids."""
    desk, now = board.desk, time.time()
    desk.policy(guideline=" ".join(PAYLOADS[:40]))
    ids = []
    for number, text in enumerate(PAYLOADS):
        given: dict[str, Any] = {
            "entity": text,
            "entities": {text[:150] or "x": text},
            "detector": text,
            "method": text,
            "event_id": text,
            "event_time": now - 600 + number,
            "margin": 3.0 - 0.02 * number,
            "reasons": tuple(
                a_reason(f"{part}{text[:60]}", weight, label=text, text=text, usual=text)
                for part, weight in (("a", 2.0), ("b", 1.0), ("c", -0.5))
            ),
            "record": {text: text, "amount": 412.0},
            "context": ({"time": now - 900, "fields": {text: text, "amount": 3.0}},),
        }
        members = desk.add(1, **given)
        ids.append(desk.group(members, str(number), title=text, subtitle=text, key=text))
    everything = desk.add(
        3,
        margin=-2.0,
        event_time=now - 10,
        reasons=tuple(
            a_reason(f"f{number}", 2.0 - number / 200, label=text, text=text, usual=text)
            for number, text in enumerate(PAYLOADS)
        ),
        record={f"{number} {text}": text for number, text in enumerate(PAYLOADS)},
        entities={f"e{number}": text for number, text in enumerate(PAYLOADS)},
    )
    whole = desk.group(everything, "all", title=PAYLOADS[0], subtitle=PAYLOADS[4])
    for number, cluster in enumerate(ids[-DECIDED:]):
        text = PAYLOADS[number * 5]
        kind = KINDS[number % len(KINDS)]
        more: dict[str, Any] = {}
        if kind is VerdictKind.EXPECTED:
            more = {"scope": text[:4000], "expires_at": now + 86_400}
        actor = Actor(text[:200] or "x", "analyst")
        desk.decide(cluster, kind, actor, at=now, reason=text[:4000], **more)
    return ids, whole


class Watch:
    """What must not happen to a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.harm: list[str] = []
        page.on("dialog", self._dialog)
        page.on("console", self._console)

    def check(self, where: str) -> None:
        """Fail if anything has happened, or if something is not in its place."""
        self.harm += [f"{where}: {what}" for what in self.page.evaluate(WHOLE)]
        assert not self.harm, self.harm

    def _dialog(self, dialog: Dialog) -> None:
        self.harm.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.harm.append(f"the console: {message.text[:300]}")


@pytest.fixture
def filled(bare: Served) -> tuple[Served, list[str], str]:
    ids, whole = hostile(bare)
    return bare, ids, whole


@pytest.mark.timeout(900)
def test_nothing_of_it_runs_or_shifts_anything(
    page: Page, filled: tuple[Served, list[str], str]
) -> None:
    board, ids, _ = filled
    assert len(set(PAYLOADS)) >= AT_LEAST
    watch = Watch(page)
    sign_in(page, board, LEAD)
    page.wait_for_selector("#subject")
    seen = look_at_each_row(page, watch)
    assert seen >= len(PAYLOADS) - DECIDED
    for number in range(0, len(PAYLOADS), 12):
        see_cluster(page, watch, board, ids[number])
        text = PAYLOADS[number]
        page.goto(board.url + entity_address(text[:150], text[:150]))
        page.wait_for_selector("#main")
        watch.check(f"entity {number}")


def look_at_each_row(page: Page, watch: Watch) -> int:
    """Go down the queue with its preview at each row; return how many rows there were."""
    for number in range(1, 2 * len(PAYLOADS)):
        cluster = page.locator(SELECTED).get_attribute("row-id") or ""
        page.wait_for_selector(f'#subject[data-cluster="{cluster}"]')
        watch.check(f"row {number}")
        page.keyboard.press("j")
        page.wait_for_timeout(20)
        if page.locator(SELECTED).get_attribute("row-id") == cluster:
            return number
    raise AssertionError("the queue has no end")


def see_cluster(page: Page, watch: Watch, board: Served, cluster: str) -> None:
    """Open a cluster's page, point at its charts, open its tabs."""
    page.goto(f"{board.url}/cluster/{cluster}")
    page.wait_for_selector("#why-chart .bars")
    page.locator("#why-chart .bars .point").first.hover(force=True)
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(50)
    watch.check(f"cluster {cluster}")


@pytest.mark.parametrize("path", ["queue?status=all", "looks?"])
def test_exports_hold_no_formula(filled: tuple[Served, list[str], str], path: str) -> None:
    board, _, _ = filled
    with board.client(LEAD) as client:
        answer = client.get(f"/api/v1/export/{path}&format=csv").raise_for_status()
        table = list(csv.reader(io.StringIO(answer.text, newline="")))
        assert len(table) > DECIDED / 2
        for cell in (cell for line in table[1:] for cell in line):
            bare = cell.lstrip(SKIPPED)
            assert not bare.startswith(SIGNS) or is_number(cell), repr(cell[:60])
        whole = client.get(f"/api/v1/export/{path}&format=parquet").raise_for_status()
        assert pq.read_table(io.BytesIO(whole.content)).num_rows == len(table) - 1


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
