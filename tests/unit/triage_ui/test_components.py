from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from dash import html
from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

import triage_ui
from tests.support.cases import ANNA, AT, Desk, a_reason
from triage.model import Counters, VerdictKind
from triage.queries import (
    BoardStatus,
    ClusterDetail,
    ClusterReason,
    InfluenceRow,
    StreamStatus,
)
from triage_ui.components.charts import CONFIG
from triage_ui.components.consequences import consequences
from triage_ui.components.decide import KEYS as BAR_KEYS
from triage_ui.components.drawn import drawn
from triage_ui.components.empty import OF_A_VIEW, empty_state, warm_up_text
from triage_ui.components.entity_chart import entity_chart
from triage_ui.components.history import history
from triage_ui.components.influences import influence_list
from triage_ui.components.keys_sheet import KEYS
from triage_ui.components.preview import preview, preview_when
from triage_ui.components.shap_bars import shap_bars
from triage_ui.components.status import banner, stream_links
from triage_ui.entity import main_entity
from triage_ui.pages import all_pages, page_at
from triage_ui.palette import DARK, LIGHT
from triage_ui.tabs import all_tabs
from triage_ui.timeline import Timeline, timeline

PACKAGE = Path(triage_ui.__file__).parent
HOSTILE = "<script>alert(1)</script>\u202e\"'&" + "x" * 10_000


def text_of(component: object) -> str:
    if isinstance(component, Component):
        return text_of(getattr(component, "children", None))
    if isinstance(component, (list, tuple)):
        return "".join(text_of(child) for child in component)
    return "" if component is None else str(component)


def graphs(component: object) -> Iterator[Component]:
    if isinstance(component, Component):
        if type(component).__name__ == "Graph":
            yield component
        yield from graphs(getattr(component, "children", None))
    elif isinstance(component, (list, tuple)):
        for child in component:
            yield from graphs(child)


def detail_of(desk: Desk, count: int = 7, **given: Any) -> ClusterDetail:
    cluster = desk.cluster(count, **given)
    detail = desk.store.cluster(cluster, 5)
    assert detail is not None
    return detail


def components(value: Any) -> Iterator[dict[str, Any]]:
    """Return the components in what JSON says of one."""
    if isinstance(value, dict):
        if "namespace" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from components(part)


def line_of(desk: Desk, detail: ClusterDetail) -> Timeline:
    cluster = detail.row.cluster_id
    return timeline(desk.store.entity_events(cluster, 100), cluster, detail.reasons, "c1")


def parts(desk: Desk, detail: ClusterDetail) -> list[Component]:
    line = line_of(desk, detail)
    return [
        preview(detail, AT),
        preview_when(line),
        shap_bars(detail.reasons),
        entity_chart(line, DARK),
        history(detail.verdicts, AT),
    ]


def stream(**given: Any) -> StreamStatus:
    filled: dict[str, Any] = {
        "stream": "payments",
        "title": "Card payments",
        "partitions": 1,
        "counters": Counters(),
        "warm_up_left": 0,
        "last_event_time": None,
        "last_commit_at": None,
        "open_clusters": 0,
        "model_version": 0,
    }
    return StreamStatus(**(filled | given))


def status(*streams: StreamStatus, decided: int = 0) -> BoardStatus:
    return BoardStatus(streams, 0, 0, decided, 0)


def test_the_preview_answers_the_three_questions(desk: Desk) -> None:
    detail = detail_of(desk)
    shown = text_of(parts(desk, detail)[0])
    assert "412 €+1.00, towards anomalyusually 20–55 €" in shown
    assert "5 members that you read are published as verified" in shown
    assert "The other 2 are not decided: learned softly, and kept as its rest." in shown
    assert "Nothing like it has been decided before" in shown
    assert "5 of 7" in shown


def test_what_a_script_draws_is_html_and_keeps_what_is_said(desk: Desk) -> None:
    """Else it would draw nothing: other components are Dash's renderer's."""
    detail = detail_of(desk)
    for part in (
        preview(detail, AT),
        preview_when(line_of(desk, detail)),
        shap_bars(detail.reasons),
        *stream_links(status(stream())),
        *banner(status(stream(warm_up_left=10))),
    ):
        spaces = {found["namespace"] for found in components(json.loads(drawn(part)))}
        assert spaces == {"dash_html_components"}
    (told,) = json.loads(drawn([html.P(["<b>", None])]))
    assert (told["type"], told["props"]) == ("P", {"children": ["<b>", None]})


def test_bars_and_their_spread_lie_within_the_column(desk: Desk) -> None:
    spreads = ((2.0, 1.0), (-1.0, 1.5), (0.0, 0.0))  # on one side, on both, nowhere
    reasons = [
        ClusterReason("a", "a", mean, mean - spread, mean + spread, "1", "")
        for mean, spread in spreads
    ]
    for shown in (reasons, reasons[:1], reasons[1:2], reasons[2:], []):
        told = json.loads(drawn(shap_bars(shown)))
        styles = [part["props"].get("style") for part in components(told)]
        for style in filter(None, styles):
            left = float(style["left"].rstrip("%"))
            width = float(style.get("width", "0%").rstrip("%"))
            assert 0 <= left <= left + width <= 100.01


def test_scripts_find_what_a_verdict_is_about(desk: Desk) -> None:
    detail = detail_of(desk)
    root: Any = parts(desk, detail)[0]
    read = [member.candidate.candidate_id for member in detail.members]
    assert getattr(root, "data-read") == " ".join(read)
    assert getattr(root, "data-revision") == str(detail.row.revision)
    assert getattr(root, "data-entity") == "customer c1"


def test_past_cases_are_counted(desk: Desk) -> None:
    for number in range(3):
        first = desk.cluster(1, f"old{number}")
        desk.decide(first, VerdictKind.REAL, ANNA)
    shown = text_of(consequences(3, 3, {"real": 3, "expected": 1}, VerdictKind.REAL))
    assert "Like 4 past cases: 3 real, 1 expected." in shown


def test_every_verdict_says_what_it_would_do() -> None:
    shown = consequences(1, 1, {}, VerdictKind.SPURIOUS)
    texts: list[Any] = [one for one in shown.children if hasattr(one, "data-consequence")]
    assert [text.hidden for text in texts] == [
        kind is not VerdictKind.SPURIOUS for kind in VerdictKind
    ]
    assert "1 member that you read is published" in text_of(texts[0])


def test_hostile_text_is_text_and_bounded(desk: Desk) -> None:
    reasons = (
        a_reason("a", text=HOSTILE, usual=HOSTILE, label=HOSTILE),
        a_reason(HOSTILE[:50], -1.0),
    )
    members = desk.add(
        3,
        reasons=reasons,
        entity=HOSTILE[:80],
        entities={"customer": HOSTILE[:80]},
        record={"note": HOSTILE, "amount": 3.0},
    )
    cluster = desk.group(members, title=HOSTILE[:200], subtitle=HOSTILE[:200])
    detail = desk.store.cluster(cluster, 5)
    assert detail is not None
    for component in parts(desk, detail):
        encoded = json.dumps(component, cls=PlotlyJSONEncoder)
        assert "\\u202e" not in encoded
        assert "dangerously" not in encoded.lower()
        assert "Markdown" not in encoded
        assert len(encoded) < 200_000


def test_charts_are_valid_figures_and_escape_what_plotly_takes_for_markup(desk: Desk) -> None:
    members = desk.add(9, record={"amount": 3.0, "note": "<b>bold</b> & <a href='x'>y</a>"})
    detail = desk.store.cluster(desk.group(members), 5)
    assert detail is not None
    (chart,) = [graph for component in parts(desk, detail) for graph in graphs(component)]
    figure: Any = chart.figure  # type: ignore[attr-defined]  # a Graph
    go.Figure(figure)  # raises for an unknown attribute
    assert "<b>bold" not in json.dumps(figure)
    assert chart.config == CONFIG  # type: ignore[attr-defined]  # a Graph


def test_no_chart_offers_to_send_its_data_away() -> None:
    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["displaylogo"] is False
    for path in PACKAGE.rglob("*.py"):
        if path.name != "charts.py":
            assert "dcc.Graph" not in path.read_text("utf-8"), f"{path}: use charts.graph"


def test_the_colours_of_charts_are_those_of_the_style_sheet() -> None:
    css = (PACKAGE / "assets" / "css" / "0_tokens.css").read_text("utf-8")
    light, dark = css.split(':root[data-theme="dark"]')
    for block, colours in ((light, LIGHT), (dark, DARK)):
        tokens = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))
        for name in ("panel", "line", "ink", "accent", "towards", "away"):
            assert tokens[name] == getattr(colours, name), name
        assert tokens["ink-2"] == colours.ink_2
        assert tokens["ink-3"] == colours.ink_3
        assert tokens["accent-bg"] == colours.accent_bg


def test_both_schemes_have_the_same_tokens() -> None:
    css = (PACKAGE / "assets" / "css" / "0_tokens.css").read_text("utf-8")
    light, dark = (set(re.findall(r"--([a-z0-9-]+):", part)) for part in css.split('"dark"]'))
    assert light - dark == {"small", "text", "large", "radius"}
    assert dark <= light


def test_callbacks_never_block_the_loop() -> None:
    """A synchronous callback would hold everybody's requests on this backend."""
    found = 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                marks = [ast.unparse(mark) for mark in node.decorator_list]
                if any(re.match(r"(board\.callback|router\.|app\.get)", mark) for mark in marks):
                    found += 1
                    assert isinstance(node, ast.AsyncFunctionDef), f"{path}: {node.name}"
    assert found > 10


def test_pages_are_found_by_their_files() -> None:
    pages = all_pages()
    files = {path.stem for path in (PACKAGE / "pages").glob("*.py")} - {"__init__"}
    assert len(pages) == len(files)
    assert page_at(pages, "/") is not None
    assert page_at(pages, "/cluster/0f-1") is not None
    for nowhere in ("/cluster/", "/cluster/a/b", "/queue/", "//", "/" + "x" * 999):
        assert page_at(pages, nowhere) is None
    for page in pages:
        assert not inspect.iscoroutinefunction(page.layout)  # Dash answers 500 to async layouts


def test_tabs_are_found_by_their_files() -> None:
    tabs = all_tabs()
    files = {path.stem for path in (PACKAGE / "tabs").glob("*.py")} - {"__init__"}
    assert {tab.name for tab in tabs} == files
    assert [tab.order for tab in tabs] == sorted({tab.order for tab in tabs})
    for tab in tabs:
        assert not inspect.iscoroutinefunction(tab.layout)


def test_keys_on_the_buttons_are_those_of_the_list_and_of_the_scripts() -> None:
    listed = {key for key, _ in KEYS}
    script = (PACKAGE / "assets" / "js" / "keys.js").read_text("utf-8")
    for kind, (key, _) in BAR_KEYS.items():
        assert key in listed
        assert f'{key.lower()}: "{kind.value}"' in script
    assert "[1-9]" in script
    for key in listed - {"1–9", "Ctrl+K"}:
        name = {"Esc": "escape", "Enter": "enter"}.get(key, key.lower())
        assert re.search(rf'["\s]{re.escape(name)}"?: ', script), key


def test_an_empty_queue_says_which_of_three_kinds_it_is() -> None:
    cases = {
        "waiting": empty_state(status(), {}),
        "warming": empty_state(status(stream(warm_up_left=200, counters=Counters(312))), {}),
        "quiet": empty_state(status(stream(counters=Counters(9000))), {}),
        "clear": empty_state(status(stream(), decided=212), {}),
        "filter": empty_state(status(stream(), decided=212), {"stream": "payments", "text": "<b>"}),
    }
    for view in OF_A_VIEW:
        assert getattr(empty_state(status(), dict([view])), "data-empty") == "view"
    both = {"status": "second_opinion", "stream": "payments"}
    assert "status second opinion, stream “payments”" in text_of(empty_state(status(), both))
    for kind, component in cases.items():
        assert getattr(component, "data-empty") == kind
    assert "312 of 512 events; no alerts before that" in text_of(cases["warming"])
    assert "212 decided today" in text_of(cases["clear"])
    assert "stream “payments”, text “<b>”" in text_of(cases["filter"])
    assert "Clear filters" in text_of(cases["filter"])


def test_the_banner_tells_what_is_warming_up() -> None:
    warming = stream(warm_up_left=200, counters=Counters(accepted=312))
    assert text_of(banner(status(warming, stream(stream="network")))) == (
        "payments: learning what is normal, 312 of 512 events; no alerts before that"
    )
    assert banner(status(stream())) == []
    assert warm_up_text(stream()) is None
    assert "per partition" in str(warm_up_text(stream(warm_up_left=1, partitions=4)))
    assert "warming up" in text_of(stream_links(status(warming)))


def test_the_main_entity_is_what_members_share(desk: Desk) -> None:
    members = desk.add(1, entities={"customer_id": "c1", "terminal_id": "881"})
    members += desk.add(2, entities={"customer_id": "c2", "terminal_id": "881"})
    detail = desk.store.cluster(desk.group(members), 9)
    assert detail is not None
    assert main_entity(detail.members) == "terminal 881"
    assert main_entity([]) == ""


def test_history_offers_the_way_back_once(desk: Desk) -> None:
    cluster = desk.cluster(3)
    verdict = desk.decide(cluster, reason=HOSTILE[:100])
    row = desk.store.verdict(verdict.verdict_id)
    assert row is not None
    assert "Undo" in text_of(history([row], AT))
    desk.undo(verdict.verdict_id)
    row = desk.store.verdict(verdict.verdict_id)
    assert row is not None
    assert "Undo" not in text_of(history([row], AT))
    assert "undone" in text_of(history([row], AT))


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_text_can_be_read(scheme: Any) -> None:
    for ink in (scheme.ink, scheme.ink_2, scheme.ink_3, scheme.accent):
        for ground in (scheme.panel, scheme.accent_bg):
            assert contrast(ink, ground) >= 4.5


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_verdicts_that_moved_a_cluster_are_told_with_their_sign() -> None:
    rows = [InfluenceRow("c1", HOSTILE, True, 1.25), InfluenceRow("c2", "2 calls", False, -0.5)]
    text = " ".join(text_of(part) for part in influence_list(rows))
    assert "+1.25 by" in text
    assert "found real" in text
    assert "-0.50 by 2 calls, found not real" in text
    assert "\u202e" not in text
    assert influence_list([]) == []
