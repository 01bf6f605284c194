"""Verdicts to rules to config and back to candidates."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from cli.rules import command
from detectors.features.feature_set import FeatureSet
from detectors.online.rules import Condition, Rule
from streaming.advisor.answers import Answers
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.rules.deployed import deployed_rules
from streaming.rules.export import as_json, as_sql, as_yaml
from streaming.rules.mined import Mining, condition_text, mine_rules
from tests.support import streams
from tests.support.house import House
from tests.support.streams import START, events
from tests.unit.streaming.advisor.conftest import many_clusters, settle
from triage.advisor import DraftRule
from triage.errors import NotAvailable, NotFound
from triage.model import VerdictKind
from triage.queries import QueueFilter

pytestmark = pytest.mark.slow

STRANGE = 200.0
"""Amounts of the stream's strange events are above it, of ordinary ones below."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A stream whose clusters are decided by whether their amounts are strange."""
    made = House(tmp_path, many_clusters())
    made.send(events(4000))
    settle(made)
    for rank in range(made.store.queue(QueueFilter(), 0, 1).total):
        row = made.store.queue(QueueFilter(), 0, 1).rows[0]
        read = made.store.members(row.cluster_id, 0, 3)
        strange = {float(member.candidate.record["amount"]) > STRANGE for member in read}
        kinds = {True: VerdictKind.REAL, False: VerdictKind.SPURIOUS}
        made.decide(kinds[strange.pop()] if len(strange) == 1 else VerdictKind.UNSURE)
        assert rank < 500
    yield made
    made.store.close()
    made.transport.close()


def later(count: int, day: int) -> list[dict[str, object]]:
    """Return events of a later day, with ids of their own."""
    return [
        {**one, "id": f"{day}-{one['id']}", "at": START + 86_400 * day + number}
        for number, one in enumerate(events(count, seed=day))
    ]


def mined(house: House, precision: float = 0.3) -> Mining:
    return mine_rules(house.store, "tests", precision, 5)


def with_rules(text: str, snippet: str) -> StreamConfig:
    """Return a config whose detectors have one more item."""
    return parse(text.replace("learning:", f"{snippet}\nlearning:", 1), "tests.yaml")


def told(found: Mining) -> list[tuple[Rule, tuple[str, ...], str]]:
    return [(one.rule, one.words, "seen") for one in found.rules]


def test_what_was_confirmed_becomes_a_readable_rule(house: House) -> None:
    found = mined(house)
    assert found.confirmed > 5
    kept = [one for one in found.rules if not one.why_not]
    assert kept
    rule = kept[0].rule
    assert rule.shadow
    assert rule.expires_after >= 10_000
    assert [condition.feature for condition in rule.when] == ["log_amount"]
    assert kept[0].words[0].startswith("amount at least ")
    assert kept[0].words[0].endswith(" €")
    assert kept[0].judged.contradicted == 0
    assert rule.precision <= kept[0].judged.precision
    assert told(found) == told(mined(house))


def test_half_of_what_was_confirmed_judges_whatever_the_ids(house: House) -> None:
    """Ids differ from run to run; sides by their hash could leave one side without any."""
    found = mined(house)
    (only,) = found.rules
    assert only.judged.hit_groups == found.confirmed
    assert only.judged.right == found.confirmed // 2


def test_what_is_not_sure_enough_is_not_kept_and_why_is_said(house: House) -> None:
    found = mined(house, precision=0.999)
    assert found.rules
    assert all("0.999 is needed" in one.why_not for one in found.rules)


def test_a_rule_from_yaml_makes_candidates_and_its_name_is_on_the_board(house: House) -> None:
    """Shadow first: it counts and changes no score's meaning; then it alerts and is named."""
    snippet = as_yaml("tests", told(mined(house)))
    house.config = with_rules(house.config.text, snippet)
    settle(house)
    house.send(later(600, 3))
    settle(house)
    (listed, *_) = deployed_rules(house.store, "tests")
    assert listed.state == "shadow"
    assert listed.hits
    assert not any("rule " in one.method for one in house.candidates())

    house.config = with_rules(
        many_clusters().text, snippet.replace("shadow: true", "shadow: false")
    )
    settle(house)
    house.send(later(600, 4))
    settle(house)
    (listed, *_) = deployed_rules(house.store, "tests")
    assert listed.state == "in force"
    named = [one for one in house.candidates() if f"rule {listed.rule.name}" in one.method]
    assert named
    assert all(float(one.record["amount"]) > STRANGE / 2 for one in named)


def test_exports_are_what_they_claim(house: House) -> None:
    found = mined(house)
    content = json.loads(as_json("tests", found.features_version, told(found)))
    assert (
        Rule.model_validate({key: content["rules"][0][key] for key in Rule.model_fields})
        == found.rules[0].rule
    )
    (item,) = yaml.safe_load(as_yaml("tests", told(found)))
    assert Rule.model_validate(item["rules"][0]) == found.rules[0].rule


def test_the_sql_selects_what_the_rule_hits(house: House) -> None:
    found = mined(house)
    sql = as_sql("tests", house.config.features, told(found)[:1])
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute('CREATE TABLE tests ("amount" REAL, "speed" REAL)')
        rows = [(float(one["amount"]), 1.0) for one in events(200)]  # type: ignore[arg-type]
        database.executemany("INSERT INTO tests VALUES (?, ?)", rows)
        hit = database.execute(sql).fetchall()
    assert sorted(hit) == sorted(row for row in rows if row[0] > STRANGE)


def test_what_a_table_lacks_is_said_in_the_sql() -> None:
    rule = Rule(
        name="many",
        when=[
            Condition(feature='count" 1h', at_least=9.0),
            Condition(feature="speed", at_most=1.0),
        ],
        precision=0.9,
        expires_after=1,
    )
    sql = as_sql("tests", many_clusters().features, [(rule, ("a\nb",), "")])
    assert "-- many: a b" in sql
    assert "-- worked out by the stream's features: count\" 1h" in sql
    assert 'WHERE "count"" 1h" >= 9.0\n  AND "speed" <= 1.0;' in sql


def test_a_rule_on_a_listed_category_says_in_and_runs_as_in() -> None:
    listed = '{kind: one_of, field: shop, values: [s1, "it\'s"]}'
    config = parse(streams.CONFIG.replace("{kind: number, field: speed}", listed), "tests.yaml")
    rules = [
        Rule(
            name=name,
            when=[Condition(feature="one_of_shop", **{side: 0.5})],
            precision=0.9,
            expires_after=1,
        )
        for name, side in (("inside", "at_least"), ("outside", "at_most"))
    ]
    words = [condition_text(rule.when[0], FeatureSet(config.features)) for rule in rules]
    assert words == ["shop in s1, it's", "shop not in s1, it's"]
    found = []
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute('CREATE TABLE tests ("shop" TEXT)')
        shops = ["s1", "s2", "it's", None]
        database.executemany("INSERT INTO tests VALUES (?)", [(shop,) for shop in shops])
        for rule, text in zip(rules, words, strict=True):
            sql = as_sql("tests", config.features, [(rule, (text,), "")])
            assert "worked out" not in sql
            found.append([shop for (shop,) in database.execute(sql)])
    assert found == [["s1", "it's"], ["s2"]]


def test_without_a_stream_or_a_snapshot_it_says_so(house: House) -> None:
    with pytest.raises(NotFound, match="there are: tests"):
        mine_rules(house.store, "other", 0.5, 5)
    with house.store._db.write() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("DELETE FROM snapshots")
    with pytest.raises(NotAvailable, match="no snapshot"):
        mined(house)


def test_a_draft_around_an_open_cluster_is_tried_on_the_rest(house: House) -> None:
    """Undo one confirmed cluster: a rule around it hits those that were confirmed like it."""
    real = [one for one in house.store.recent_verdicts(200) if one.kind is VerdictKind.REAL]
    house.undo(real[0].verdict_id)
    answers = Answers(house.store)
    answers.refresh()
    draft = answers.draft_rule(DraftRule(real[0].cluster_id)).draft
    assert draft is not None
    assert any("amount at least" in one for one in draft.words)
    assert draft.inside == draft.members > 0
    assert 0 < draft.confirmed < len(real)
    assert (draft.dismissed, draft.wrong) == (0, 0)
    assert 0.0 < draft.precision < 1.0
    config = with_rules(house.config.text, draft.config)
    assert config.detectors[-1].kind == "rules"
    with pytest.raises(NotFound):
        answers.draft_rule(DraftRule("none"))


def test_what_looks_ordinary_has_no_draft_or_one_that_nothing_speaks_for(house: House) -> None:
    answers = Answers(house.store)
    answers.refresh()
    rows = house.store.queue(QueueFilter(), 0, 500).rows
    for row in rows[-5:]:
        draft = answers.draft_rule(DraftRule(row.cluster_id)).draft
        assert draft is None or draft.inside <= draft.members


def run(house: House, *arguments: str) -> Result:
    return CliRunner().invoke(
        command, [*arguments, "--stream", "tests", "--data", str(house.folder)]
    )


def test_the_command_mines_lists_and_exports(house: House) -> None:
    table = run(house, "mine", "--precision", "0.3")
    assert table.exit_code == 0, table.output
    assert "amount at least" in table.output
    assert "precision at least" in table.output
    snippet = run(house, "mine", "--precision", "0.3", "--as", "yaml")
    assert "shadow: true" in snippet.output
    assert "has no rules" in run(house, "list").output
    nothing = run(house, "export")
    assert (nothing.exit_code, "no rule to export" in nothing.output) == (1, True)

    house.config = with_rules(house.config.text, snippet.output)
    settle(house)
    assert "shadow" in run(house, "list").output
    for form in ("json", "sql", "yaml", "table"):
        assert "log-amount" in run(house, "export", "--as", form).output
    refused = run(house, "mine", "--precision", "0.999")
    assert "not kept" in refused.output
    other = CliRunner().invoke(command, ["list", "--stream", "x", "--data", str(house.folder)])
    assert (other.exit_code, "there is no stream 'x'" in other.output) == (1, True)
