from __future__ import annotations

import re
import time

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import CLUSTERS, sign_in
from tests.browser.seeing import (
    at,
    cursor,
    intercept,
    place,
    row,
    rows,
    scroll_down_to,
    toast,
    wait_for,
)
from tests.support.cases import BEN
from tests.unit.triage_ui.serving import Served
from triage.model import VerdictKind, VerdictState
from triage.queries import QueueFilter


def order(board: Served) -> list[str]:
    """Return the queue as the store orders it."""
    return [one.cluster_id for one in board.store.queue(QueueFilter(), 0, 100).rows]


def rescore(board: Served, posteriors: dict[str, float]) -> None:
    """Let a worker have learned: new label position, new posteriors of whole clusters."""
    desk = board.desk
    rescored = {
        member.candidate.candidate_id: posterior
        for cluster, posterior in posteriors.items()
        for member in board.store.members(cluster, 0, 100)
    }
    position = board.store.label_position(desk.stream)
    part = desk.part(label_position=position, rescored=rescored)
    desk.commit(part, at=time.time())


def arrive(board: Served, name: str, margin: float) -> str:
    """Let a new cluster come."""
    return board.desk.cluster(3, name, margin=margin, event_time=time.time())


def test_the_queue_shows_what_is_worth_a_look(analyst: Page, board: Served) -> None:
    wait_for(analyst, lambda: rows(analyst) == order(board), "the rows")
    first = row(analyst, order(board)[0])
    expect(first).to_contain_text("payments, terminal 881")
    expect(first).to_contain_text("Real 95 %")
    at(analyst, order(board)[0])
    expect(analyst.locator("#open-count")).to_have_text(str(CLUSTERS))
    expect(analyst.locator("#live-text")).to_have_text(re.compile("Live"))


def test_a_cluster_of_no_entity_at_one_moment_has_only_its_stream_below(
    page: Page, bare: Served
) -> None:
    cluster = bare.desk.group(bare.desk.add(1), subtitle="")
    sign_in(page, bare)
    expect(row(page, cluster).locator(".cluster-sub")).to_have_text(bare.desk.stream)
    page.keyboard.press("Control+k")
    page.keyboard.type("881")
    found = page.get_by_role("option", name=re.compile("^Cluster"))
    expect(found.locator(".under")).to_have_text(bare.desk.stream)


def test_one_key_gives_a_verdict_and_z_takes_it_back(analyst: Page, board: Served) -> None:
    first, second = order(board)[:2]
    analyst.keyboard.press("r")
    expect(row(analyst, first)).to_contain_text("Real")
    expect(row(analyst, first)).to_contain_text("pending")
    expect(row(analyst, first)).to_contain_class("row-decided")
    at(analyst, second)
    expect(toast(analyst)).to_contain_text("marked real")
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 1, "the verdict")
    verdict = board.store.recent_verdicts(1)[0]
    assert (verdict.cluster_id, verdict.kind, verdict.read) == (first, VerdictKind.REAL, 3)
    analyst.keyboard.press("z")
    expect(toast(analyst)).to_contain_text("open again")
    at(analyst, first)
    expect(row(analyst, first)).not_to_contain_text("pending")
    expect(row(analyst, first)).not_to_contain_class("row-decided")
    after = board.store.verdict(verdict.verdict_id)
    assert after is not None
    assert after.state is VerdictState.UNDONE


def test_every_verdict_has_a_key_and_a_button(analyst: Page, board: Served) -> None:
    clusters = order(board)
    for index, (key, word) in enumerate(
        (("s", "Spurious"), ("p", "Pipeline fault"), ("u", "Unsure"))
    ):
        at(analyst, clusters[index])
        analyst.keyboard.press(key)
        expect(row(analyst, clusters[index])).to_contain_text(word)
    at(analyst, clusters[3])
    analyst.get_by_role("button", name="R Real").click()
    expect(row(analyst, clusters[3])).to_contain_text("pending")
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 4, "four verdicts")
    kinds = [verdict.kind for verdict in board.store.recent_verdicts(4)][::-1]
    assert kinds == ["spurious", "pipeline_fault", "unsure", "real"]


def test_a_verdict_is_painted_before_the_server_answers(analyst: Page, board: Served) -> None:
    first, second = order(board)[:2]
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    intercept(analyst, "**/verdicts", hold)
    at(analyst, first)
    analyst.keyboard.press("s")
    expect(row(analyst, first)).to_contain_text("saving")
    at(analyst, second)
    assert board.store.recent_verdicts(1) == []
    wait_for(analyst, lambda: held, "the verdict")
    held[0].continue_()
    expect(row(analyst, first)).to_contain_text("pending")


def assigned(board: Served, cluster: str) -> bool:
    detail = board.store.cluster(cluster, 1)
    return detail is not None and bool(detail.row.assignee)


def test_the_drawing_of_when_is_that_of_the_cluster_and_stays(analyst: Page, board: Served) -> None:
    first, second = order(board)[:2]

    def dots(cluster: str) -> Locator:
        return analyst.locator(f'#preview-when > [data-cluster="{cluster}"] .dot').first

    at(analyst, first)
    expect(dots(first)).to_be_visible()
    analyst.keyboard.press("j")
    at(analyst, second)
    expect(dots(second)).to_be_visible()
    analyst.keyboard.press("a")
    wait_for(analyst, lambda: assigned(board, second), "the assignment")
    analyst.evaluate(
        "(cluster) => triage.setProps('cursor', {data: {cluster, count: -1}})", second
    )  # drawn anew, and *when* as it was
    expect(analyst.locator("#subject .facts")).to_contain_text("assigned to anna")
    expect(dots(second)).to_be_visible()
    assert analyst.locator("#preview-when .when-strip").count() == 1


def test_a_key_held_down_is_one_verdict(analyst: Page, board: Served) -> None:
    at(analyst, order(board)[0])
    for _ in range(5):
        analyst.keyboard.down("r")  # without an up in between: repeats
    analyst.keyboard.up("r")
    expect(toast(analyst)).to_contain_text("marked real")
    analyst.wait_for_timeout(300)
    assert len(board.store.recent_verdicts(9)) == 1


def test_quick_keys_decide_one_cluster_each_in_order(analyst: Page, board: Served) -> None:
    clusters = order(board)
    at(analyst, clusters[0])
    for key in "rsr":
        analyst.keyboard.press(key)
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 3, "three verdicts")
    given = {one.cluster_id: (one.kind, one.read) for one in board.store.recent_verdicts(3)}
    assert given == {
        clusters[0]: ("real", 3),
        clusters[1]: ("spurious", 4),
        clusters[2]: ("real", 5),
    }
    at(analyst, clusters[3])


def test_keys_do_nothing_in_a_field_or_when_switched_off(analyst: Page, board: Served) -> None:
    analyst.keyboard.press("/")
    analyst.keyboard.type("rspuz")
    expect(analyst.locator("#search")).to_have_value("rspuz")
    analyst.locator("#search").fill("")
    analyst.keyboard.press("Escape")
    analyst.keyboard.press("?")
    expect(analyst.get_by_role("dialog")).to_be_visible()
    analyst.get_by_label("Single keys are on").click(force=True)
    analyst.get_by_role("button", name="Close").click()
    analyst.keyboard.press("r")
    analyst.wait_for_timeout(300)
    assert board.store.recent_verdicts(1) == []


def test_expected_asks_for_a_scope_and_an_end(analyst: Page, board: Served) -> None:
    first = order(board)[0]
    at(analyst, first)
    analyst.keyboard.press("x")
    scope = analyst.get_by_label("What is expected?")
    expect(scope).to_be_focused()
    expect(scope).to_have_value("customer c1")
    expect(analyst.get_by_label("30 days")).to_be_checked()
    analyst.keyboard.press("Escape")
    expect(scope).to_be_hidden()
    assert board.store.recent_verdicts(1) == []
    analyst.keyboard.press("x")
    expect(scope).to_be_focused()
    scope.fill("")
    analyst.keyboard.press("Enter")
    expect(scope).to_be_focused()
    scope.fill("payday at terminal 881")
    analyst.get_by_text("same entity", exact=True).click()
    analyst.get_by_text("7 days", exact=True).click()
    analyst.get_by_role("button", name="Expected Enter").click()
    expect(row(analyst, first)).to_contain_text("Expected")
    wait_for(analyst, lambda: board.store.recent_verdicts(1), "the verdict")
    assert board.store.recent_verdicts(1)[0].kind is VerdictKind.EXPECTED
    (kept_out,) = board.store.suppressions()
    assert (kept_out.entities, kept_out.features) == (("c1",), ())
    analyst.get_by_role("link", name="Suppressions").click()
    expect(analyst.get_by_role("rowheader", name="payday at terminal 881")).to_be_visible()


def test_j_k_enter_and_escape_move(analyst: Page, board: Served) -> None:
    clusters = order(board)
    analyst.keyboard.press("j")
    analyst.keyboard.press("j")
    at(analyst, clusters[2])
    analyst.keyboard.press("k")
    at(analyst, clusters[1])
    expect(analyst.locator("#announcer")).to_contain_text(f"2 of {CLUSTERS}")
    analyst.keyboard.press("Enter")
    analyst.wait_for_url(f"**/cluster/{clusters[1]}")
    expect(analyst.get_by_role("heading", level=1)).to_contain_text("terminal 881")
    analyst.keyboard.press("Escape")
    at(analyst, clusters[1])
    row(analyst, clusters[4]).click()
    at(analyst, clusters[4])


def test_a_grid_that_goes_as_the_cursor_moves_is_asked_nothing_more(
    analyst: Page, board: Served
) -> None:
    analyst.evaluate(
        """async () => {
            const api = await dash_ag_grid.getApiAsync('queue-grid');
            triage.next();
            await new Promise((resume) => setTimeout(resume));
            api.destroy();
        }"""
    )
    analyst.wait_for_timeout(200)  # the fixture sees to it that the console said nothing


def test_new_rows_never_move_the_row_under_the_cursor(analyst: Page, board: Served) -> None:
    for number in range(15):  # more than a screen holds
        arrive(board, f"weak {number}", margin=-3.0)
    analyst.keyboard.press("n")
    clusters = order(board)
    wait_for(analyst, lambda: len(rows(analyst)) > CLUSTERS, "a full screen")
    analyst.keyboard.press("j")
    analyst.keyboard.press("j")
    at(analyst, clusters[2])
    before, shown = place(row(analyst, clusters[2])), rows(analyst)
    arrived = [arrive(board, f"new {number}", margin=5.0) for number in range(3)]
    button = analyst.get_by_role("button", name="3 new N")
    expect(button).to_be_visible()
    assert place(row(analyst, clusters[2])) == before
    assert rows(analyst) == shown
    analyst.keyboard.press("n")
    expect(button).to_be_hidden()
    at(analyst, clusters[2])
    wait_for(analyst, lambda: set(rows(analyst)[:3]) == set(arrived), "the new rows on top")


def test_where_the_screen_is_not_full_new_rows_come_by_themselves(
    analyst: Page, board: Served
) -> None:
    clusters = order(board)
    analyst.keyboard.press("j")
    at(analyst, clusters[1])
    before = place(row(analyst, clusters[1]))
    arrived = arrive(board, "new", margin=5.0)
    expect(row(analyst, arrived)).to_be_visible()
    wait_for(analyst, lambda: rows(analyst)[:3] == [*clusters[:2], arrived], "the row's place")
    assert place(row(analyst, clusters[1])) == before
    assert cursor(analyst) == clusters[1]


def test_who_leaves_while_new_rows_are_read_is_asked_nothing_more(
    analyst: Page, board: Served
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    intercept(analyst, "**/api/v1/queue**", hold)
    arrive(board, "new", margin=5.0)
    wait_for(analyst, lambda: held, "a look at what is new")
    analyst.keyboard.press("Enter")
    expect(analyst.locator("#cluster-head")).to_be_visible()
    expect(analyst.locator(".queue-grid")).to_have_count(0)
    held[0].continue_()
    analyst.wait_for_timeout(300)  # the fixture sees to it that no script failed


def test_rows_far_down_come_however_often_the_queue_changes(analyst: Page, board: Served) -> None:
    board.desk.group_each(board.desk.add(900, margin=0.1), "many")
    analyst.reload()
    at(analyst, order(board)[0])
    slow: list[tuple[float, Route]] = []

    def hold(route: Route) -> None:
        if "offset=0&" in route.request.url:
            route.continue_()
        else:
            slow.append((time.monotonic() + 1.5, route))

    def there() -> bool:
        while slow and slow[0][0] < time.monotonic():
            slow.pop(0)[1].continue_()
        return wanted.is_visible()

    intercept(analyst, "**/api/v1/queue**", hold)
    analyst.evaluate("setInterval(() => triage.emit('change', { kind: 'clusters', data: {} }), 50)")
    wanted = row(analyst, board.store.queue(QueueFilter(), 890, 1).rows[0].cluster_id)
    analyst.evaluate("document.querySelector('.queue-grid .ag-body-viewport').scrollTop = 890 * 46")
    wait_for(analyst, there, "a row far down")
    analyst.unroute_all(behavior="ignoreErrors")


def test_what_a_verdict_taught_reorders_below_the_cursor(analyst: Page, board: Served) -> None:
    clusters = order(board)
    at(analyst, clusters[0])
    analyst.keyboard.press("r")
    at(analyst, clusters[1])
    wait_for(analyst, lambda: board.store.recent_verdicts(1), "the verdict")
    rescore(board, {clusters[2]: 0.01, clusters[9]: 0.999, clusters[10]: 0.99})
    expect(toast(analyst)).to_contain_text("learned by model v")
    expect(toast(analyst)).to_contain_text("2 clusters rose, 1 fell")
    expect(row(analyst, clusters[0])).to_contain_text("learned")
    expected = [clusters[0], clusters[1], clusters[9], clusters[10]]
    wait_for(
        analyst,
        lambda: (shown := rows(analyst))[:4] == expected and shown[-1] == clusters[2],
        "the new order",
    )
    assert cursor(analyst) == clusters[1]


def test_the_fate_of_a_verdict_is_shown_as_it_goes(analyst: Page, board: Served) -> None:
    first = order(board)[0]
    at(analyst, first)
    analyst.keyboard.press("r")
    expect(row(analyst, first)).to_contain_text("pending")
    board.desk.publish(time.time() + 60)
    expect(row(analyst, first)).to_contain_text("published")


def test_what_another_analyst_decides_is_seen(analyst: Page, board: Served) -> None:
    third = order(board)[2]
    board.desk.decide(third, VerdictKind.SPURIOUS, BEN, time.time())
    expect(row(analyst, third)).to_contain_text("by ben")
    expect(row(analyst, third)).to_contain_text("Spurious")
    expect(analyst.locator("#decided-today")).to_have_text("1")


def test_filters_are_in_the_address(analyst: Page, board: Served) -> None:
    analyst.get_by_label("Order").select_option("largest")
    expect(analyst).to_have_url(re.compile("order=largest"))
    largest = [
        one.cluster_id for one in board.store.queue(QueueFilter(order="largest"), 0, 50).rows
    ]
    wait_for(analyst, lambda: rows(analyst) == largest, "the order")
    address = analyst.url
    analyst.goto(board.url + "/cluster/none")
    analyst.goto(address)
    wait_for(analyst, lambda: rows(analyst) == largest, "the order after coming back")
    expect(analyst.locator("#filter-order")).to_have_value("largest")


def test_a_link_to_a_cluster_in_the_queue_puts_the_cursor_there(
    analyst: Page, board: Served
) -> None:
    wanted = order(board)[7]
    analyst.goto(f"{board.url}/?cluster={wanted}")
    at(analyst, wanted)


def test_a_long_queue_is_read_in_parts_and_holds_no_row_twice(analyst: Page, board: Served) -> None:
    board.desk.group_each(board.desk.add(450, margin=-3.0), "many")
    analyst.keyboard.press("n")
    expect(analyst.locator("#open-count")).to_have_text(str(CLUSTERS + 450))
    scroll_down_to(analyst, "queue-grid", order_all(board)[-1])
    seen = analyst.evaluate(
        """async () => {
            const api = await dash_ag_grid.getApiAsync('queue-grid');
            return api.getDisplayedRowCount();
        }"""
    )
    assert seen == CLUSTERS + 450


def order_all(board: Served) -> list[str]:
    return [one.cluster_id for one in board.store.queue(QueueFilter(), 0, 1000).rows]


def test_keys_act_again_after_a_filter_was_chosen_by_hand(analyst: Page, board: Served) -> None:
    order_by = analyst.locator("#filter-order")
    order_by.dispatch_event("pointerdown")  # what a click does, but for the list that opens
    order_by.focus()
    order_by.select_option("newest")
    newest = [one.cluster_id for one in board.store.queue(QueueFilter(order="newest"), 0, 50).rows]
    at(analyst, newest[0])
    analyst.keyboard.press("j")  # left with the focus, the drop-down would take it
    at(analyst, newest[1])
    expect(order_by).to_have_value("newest")
    order_by.focus()
    analyst.keyboard.press("j")  # here it is the drop-down's
    at(analyst, newest[1])


def test_a_score_says_from_where_on_all_members_are(analyst: Page, board: Served) -> None:
    weak, strong = board.desk.add(1, margin=1.0), board.desk.add(1, margin=4.0)
    alike = board.desk.group(board.desk.add(2, margin=3.0), "alike")
    apart = board.desk.group([*weak, *strong], "apart")
    analyst.set_viewport_size({"width": 1920, "height": 900})
    analyst.reload()
    score = ".ag-row[row-id='{}'] [col-id='score']"
    expect(analyst.locator(score.format(apart))).to_have_text("6.5 from 3.5")
    expect(analyst.locator(score.format(alike))).to_have_text("5.5")
    analyst.goto(f"{board.url}/cluster/{apart}")
    expect(analyst.get_by_text("score 3.5 to 6.5")).to_be_visible()


def test_the_tab_names_the_page(analyst: Page, board: Served) -> None:
    expect(analyst).to_have_title("Queue · Anomaly triage")
    analyst.keyboard.press("Enter")
    expect(analyst).to_have_title("Cluster · Anomaly triage")
    analyst.go_back()
    expect(analyst).to_have_title("Queue · Anomaly triage")


def test_numbers_of_the_rail_change_under_a_hand_that_clicks(analyst: Page, board: Served) -> None:
    link = analyst.locator(".rail-link[data-stream='payments']")
    link.evaluate("link => (link.same = true)")
    link.focus()
    board.desk.cluster(1, "another")
    expect(link.locator(".count")).to_have_text(str(len(order(board))))
    assert link.evaluate("link => link.same")
    expect(link).to_be_focused()


def test_charts_are_made_ready_while_nobody_acts(analyst: Page) -> None:
    ready = "() => Boolean(window.Plotly && window.Plotly.newPlot)"
    wait_for(analyst, lambda: analyst.evaluate(ready), "the charts' library")
    analyst.keyboard.press("Enter")
    analyst.wait_for_selector("#when-chart .point")
    tags = "() => document.querySelectorAll('script[src*=plotly]').length"
    assert analyst.evaluate(tags) == 1


def test_both_blocks_of_a_screen_are_asked_for_at_once(analyst: Page, board: Served) -> None:
    """Also where Dash's own first request of the grid, which nobody answers, is on its way."""
    board.desk.group_each(board.desk.add(900, margin=0.1), "many")
    analyst.reload()
    at(analyst, order(board)[0])
    held: list[str] = []

    def hold(route: Route) -> None:
        if "offset=0&" in route.request.url:
            route.continue_()
        else:
            held.append(route.request.url)

    intercept(analyst, "**/api/v1/queue**", hold)
    analyst.evaluate("triage.QueueView.prototype.ahead = () => null")  # only the grid asks
    analyst.evaluate("AbortSignal.timeout = () => new AbortController().signal")  # and waits
    analyst.evaluate("document.querySelector('.queue-grid .ag-body-viewport').scrollTop = 795 * 46")
    wait_for(analyst, lambda: len(held) > 1, "a second block, the first still on its way")
    analyst.unroute_all(behavior="ignoreErrors")


def test_news_read_a_screen_far_down_by_one_question(analyst: Page, board: Served) -> None:
    board.desk.group_each(board.desk.add(900, margin=0.1), "many")
    analyst.reload()
    at(analyst, order(board)[0])
    far = 795  # its screen lies in two blocks
    viewport = "document.querySelector('.queue-grid .ag-body-viewport')"
    analyst.evaluate(f"{viewport}.scrollTop = {far} * 46")
    expect(analyst.locator(f".ag-row[row-index='{far}'] .cluster-title")).to_be_visible()
    asked: list[str] = []
    analyst.on("request", lambda request: asked.append(request.url))
    board.desk.cluster(1, "another")
    expect(analyst.locator("#new-count")).to_have_text("1 new")
    analyst.wait_for_timeout(500)  # for what would be asked besides
    pages = [url for url in asked if "/api/v1/queue?" in url]
    assert len([url for url in pages if "offset=0&" not in url]) == 1, pages


def test_nothing_is_read_ahead_past_the_end_and_a_newer_page_stays(analyst: Page) -> None:
    assert analyst.evaluate(
        """async () => {
            const read = [];
            const view = new triage.QueueView(async (offset, limit) => {
                read.push([offset, limit]);
                return { rows: [], total: 5000, position: 1 };
            });
            await view.next();
            view.offset = 0;  // nothing of it is known
            view.ahead(4990, 5060, 50);
            view.ahead(5010, 5060, 50);
            const old = Promise.resolve({ rows: [] });
            view.await(2000, old);
            const newer = Promise.resolve({ rows: [] });
            view.coming.set(2000, newer);
            await new Promise((resume) => setTimeout(resume, 1300));  // the old one is forgotten
            return [read.slice(1), view.coming.get(2000) === newer];
        }"""
    ) == [[[4950, 50]], True]


def test_blocks_that_are_read_ahead_are_read_once_and_together(analyst: Page) -> None:
    assert analyst.evaluate(
        """async () => {
            const read = [];
            const view = new triage.QueueView(async (offset, limit) => {
                read.push(offset);
                const row = (_, i) => ({ cluster_id: `${offset + i}` });
                return { rows: Array.from({ length: limit }, row), total: 5000, position: 1 };
            });
            await view.more();
            view.ahead(1290, 1310, 50);
            view.ahead(1290, 1310, 50);
            const [first] = await view.slice(1250, 1300);
            const [second] = await view.slice(1300, 1350);
            await view.touch();  // what is far down may have changed with what is not
            await view.slice(1300, 1350);
            return [first.cluster_id, second.cluster_id, ...read];
        }"""
    ) == ["1250", "1300", 0, 1250, 0, 1300]
