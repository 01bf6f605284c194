"""Two hundred texts of an attacker in every place where a stream or a person can put text.

Each has a row of its own in the queue; previews, pages and lists show many at once.

Nothing runs, nothing is asked of another host, no link leads to one, nothing is said in the
console, nothing is pushed out of its place, and exports hold no formula.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import SELECTED, cursor, rows, wait_for
from tests.support.cases import BEN, LEAD, Desk, a_candidate, a_reason, identity
from tests.support.hostile import PAYLOADS
from tests.unit.triage_ui.serving import Served, serving
from triage.commands import DisputeVerdict
from triage.model import Actor, Counters, VerdictKind
from triage.views import MAX_NAME, Views
from triage_ui.entity import entity_address

AT_LEAST = 200
ONWARDS = """() => {
    const view = document.querySelector(".queue-grid .ag-body-viewport");
    const end = view.scrollTop + view.clientHeight >= view.scrollHeight - 2;
    view.scrollTop = end ? 0 : view.scrollTop + 300;
}"""
SIGNS = ("=", "+", "-", "@", "\uff1d")
SKIPPED = " \t\r\n\u00a0\ufeff\0\u200b"
DECIDED = 40  # clusters decided by somebody with a hostile name, for hostile reasons
PACK = 6  # texts in one title
EVERY = 4  # packs: the pages of one in so many are opened
LISTS = {
    "/figures": ".section-looks tbody tr",
    "/detectors": "#config-shown .config-text",
    "/analysts": "#analysts tbody tr",
    "/suppressions": "#suppressions tbody tr",
}
"""Address of each list -> what stands there once it is drawn."""
KINDS = (VerdictKind.REAL, VerdictKind.SPURIOUS, VerdictKind.EXPECTED, VerdictKind.UNSURE)
WHOLE = """() => {
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    const bar = document.querySelector(".top-bar").getBoundingClientRect();
    const tall = [...document.querySelectorAll(".queue-grid .ag-row")]
        .filter((row) => Math.abs(row.offsetHeight - 46) > 1).length;
    const active = document.querySelectorAll(
        "#main script, #main iframe, #main object, #main embed, #main form, #main base, #main meta,"
        + " #main link, #main img, #main video, #main audio, #main [onerror], #main [onload],"
        + " #main [onclick]");
    const away = [...document.querySelectorAll("a[href]")]
        .filter((link) => link.host !== location.host || link.protocol !== location.protocol);
    return [away.length && "a link leads away: " + away[0].href.slice(0, 200),
        wide > 0 && "wider than the window", (bar.top !== 0 || bar.height > 60) && "bar moved",
        tall && "rows of another height", active.length && active[0].outerHTML.slice(0, 200),
    ].filter(Boolean);
}"""


@dataclasses.dataclass(frozen=True)
class Hostile:
    """A board full of payloads: a cluster of each (``ids``), of several, and one of all."""

    board: Served
    ids: list[str]
    packs: list[str]
    whole: str


def hostile(board: Served) -> Hostile:
    """Make a cluster of each text, of several, and one that holds them all."""
    desk, now = board.desk, time.time()
    desk.policy(guideline=" ".join(PAYLOADS[:40]))
    ids = each_alone(desk, now)
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
    desk.store.register_config(desk.stream, "v9", "\n".join(PAYLOADS), now, PAYLOADS[0])
    for number, cluster in enumerate(ids[-DECIDED:]):
        text = PAYLOADS[number * 5]
        kind = KINDS[number % len(KINDS)]
        more: dict[str, Any] = {}
        if kind is VerdictKind.EXPECTED:
            more = {"scope": text[:4000], "expires_at": now + 86_400}
        actor = Actor(text[:200] or "x", "analyst")
        row = desk.decide(cluster, kind, actor, at=now, reason=text[:4000], **more)
        if row.kind is VerdictKind.REAL:
            other = DisputeVerdict(row.verdict_id, VerdictKind.SPURIOUS, desk.first(cluster), "k")
            disagrees = Actor(PAYLOADS[number + 1][:200] or "x", "analyst")
            desk.triage.dispute(dataclasses.replace(other, reason=text[:4000]), disagrees, now)
    desk.commit(desk.part(label_position=desk.store.label_position(desk.stream)))
    for text in filter(str.strip, PAYLOADS[:40]):
        Views(desk.store).save(BEN, text[:MAX_NAME], "/?text=" + quote(text[:100]), True, now)
    return Hostile(board, ids, packed(board, now), whole)


def each_alone(desk: Desk, now: float) -> list[str]:
    """Make a cluster of each text, in two transactions; return their ids."""
    made = [
        a_candidate(
            number,
            entity=text,
            entities={text[:150] or "x": text},
            detector=text,
            method=text,
            event_id=text,
            event_time=now - 600 + number,
            margin=3.0 - 0.02 * number,
            reasons=tuple(
                a_reason(f"{part}{text[:60]}", weight, label=text, text=text, usual=text)
                for part, weight in (("a", 2.0), ("b", 1.0), ("c", -0.5))
            ),
            record={text: text, "amount": 412.0},
            context=({"time": now - 900, "fields": {text: text, "amount": 3.0}},),
        )
        for number, text in enumerate(PAYLOADS)
    ]
    desk.made = desk.offsets[0] = len(made)
    desk.commit(desk.part(candidates=made, counters=Counters(candidates=len(made))))
    groups = [
        desk.update(identity(text), [one], str(number), title=text, subtitle=text, key=text)
        for number, (text, one) in enumerate(zip(PAYLOADS, made, strict=True))
    ]
    desk.store.save_groups(desk.stream, groups, desk.made, desk.lease, now)
    return [group.cluster_id for group in groups]


def packed(board: Served, now: float) -> list[str]:
    """Make clusters whose texts hold several payloads each; return their ids."""
    packs = [PAYLOADS[at : at + PACK] for at in range(0, len(PAYLOADS), PACK)]
    ids = []
    for number, pack in enumerate(packs):
        text = " ".join(each[:60] for each in pack)
        members = board.desk.add(
            3,
            entity=text,
            entities={each[:150] or "x": each for each in pack},
            detector=text,
            method=text,
            margin=4.0 - 0.01 * number,
            event_time=now - 5,
            reasons=tuple(
                a_reason(f"{at}{each[:60]}", 2.0 - at / 10, label=each, text=each, usual=each)
                for at, each in enumerate(pack)
            ),
            record={each: each for each in pack},
        )
        ids.append(board.desk.group(members, f"pack {number}", title=text, subtitle=text, key=text))
    return ids


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


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """A board that no test of this file changes."""
    with serving(tmp_path_factory.mktemp("hostile"), time.time) as board:
        yield hostile(board)


@pytest.fixture
def watch(page: Page, filled: Hostile) -> Watch:
    """A lead before the queue."""
    assert len(set(PAYLOADS)) >= AT_LEAST
    watch = Watch(page)
    sign_in(page, filled.board, LEAD)
    page.wait_for_selector("#subject")
    return watch


def test_each_in_a_row_of_the_queue(watch: Watch, filled: Hostile) -> None:
    page = watch.page
    wanted = {*filled.ids[:-DECIDED], *filled.packs, filled.whole}
    seen: set[str] = set()

    def there() -> bool:
        shown = rows(page)
        if not seen.issuperset(shown):
            seen.update(shown)
            watch.check(f"row {len(seen)}")
        if "" not in shown:  # all of these rows have come
            page.evaluate(ONWARDS)
        return seen >= wanted

    wait_for(page, there, "all rows", seconds=200.0)  # of some hundred looks


def test_many_in_a_preview(watch: Watch, filled: Hostile) -> None:
    page = watch.page
    left = set(filled.packs)
    while left:  # they are among the first; the queue has an end
        shown = cursor(page)
        page.wait_for_selector(f'#subject[data-cluster="{shown}"]')
        watch.check(f"preview {shown}")
        left.discard(shown)
        page.keyboard.press("j")
        expect(page.locator(SELECTED)).not_to_have_attribute("row-id", shown)


def test_all_on_the_page_of_a_cluster(watch: Watch, filled: Hostile) -> None:
    see_cluster(watch, filled.board, filled.whole)
    for cluster in filled.packs[::EVERY]:
        see_cluster(watch, filled.board, cluster)


def test_on_the_page_of_an_entity(watch: Watch, filled: Hostile) -> None:
    for text in PAYLOADS[:: PACK * EVERY]:
        watch.page.goto(filled.board.url + entity_address(text[:150] or "x", text))
        watch.page.wait_for_selector("#main h1")
        watch.check(f"entity {text[:40]}")


@pytest.mark.parametrize("path", LISTS)
def test_many_in_each_list(watch: Watch, filled: Hostile, path: str) -> None:
    watch.page.goto(filled.board.url + path)
    watch.page.wait_for_selector(LISTS[path])
    watch.check(path)


def see_cluster(watch: Watch, board: Served, cluster: str) -> None:
    """Open a cluster's page, point at its charts, open its tabs."""
    page = watch.page
    page.goto(f"{board.url}/cluster/{cluster}")
    page.wait_for_selector(".shap-bars")
    page.locator(".shap-bar").first.hover(force=True)
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(50)
    watch.check(f"cluster {cluster}")


@pytest.mark.parametrize("path", ["queue?status=all", "looks?"])
def test_exports_hold_no_formula(filled: Hostile, path: str) -> None:
    with filled.board.client(LEAD) as client:
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
