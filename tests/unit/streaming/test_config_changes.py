"""What a change of a config is classed as, and that workers see it the same way."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.plan import command
from streaming.carry import columns_of
from streaming.config.changes import Effect, changes_of, effect_of
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.pipeline import PartitionPipeline
from tests.support.streams import CONFIG
from triage.store.store import open_store

OLD = parse(CONFIG, "old")
KEEPS, WARM, RESETS = Effect.KEEPS_STATE, Effect.NEEDS_WARM_UP, Effect.RESETS_STATE
CONTRACT = Effect.CHANGES_THE_CONTRACT

CASES = [
    ("seed: 7", "seed: 7\ntitle: Cards", KEEPS, "title"),
    ("many: payments", "many: transfers", KEEPS, "noun.many"),
    ("seed: 7", "seed: 7\npolicy: {undo_grace: 1}", KEEPS, "policy"),
    ("seed: 7", "seed: 7\nmax_bad_share: 1", KEEPS, "max_bad_share"),
    ("seed: 7", "seed: 7\nclustering: {gap: 2h}", KEEPS, "clustering"),
    ("alert_budget: 4%", "alert_budget: 2%", KEEPS, "alert_budget"),
    ("seed: 7", "seed: 7\nalert_limit: {most: 50}", KEEPS, "alert_limit"),
    ("seed: 7", "seed: 7\nexplanations: shap_library", KEEPS, "explanations"),
    ("unit: €", "unit: $", KEEPS, "fields.amount.unit"),
    ("label: amount}", "label: sum}", KEEPS, "features[0].label"),
    ("seed: 7", "seed: 8", WARM, "seed"),
    ("trees: 25", "trees: 30", WARM, "detectors[0].trees"),
    ("warm_up: 128", "warm_up: 256", WARM, "learning.warm_up"),
    ("horizon: 1000", "horizon: 2000", WARM, "event_id.horizon"),
    ("seed: 7", "seed: 7\ncontext: [shop]", WARM, "context"),
    ("amount: {type: number, required: true", "amount: {type: number", WARM, "fields.amount"),
    ("over: 1h", "over: 2h", RESETS, "features[2].over"),
    ("  - {kind: number, field: speed}\n", "", RESETS, "features"),
    ("stream: tests", "stream: others", CONTRACT, "stream"),
    ("partitions: 2", "partitions: 3", CONTRACT, "source.partitions"),
    ("key: card", "key: shop", CONTRACT, "key"),
    ("speed: number", "speed: number\n  extra: string", CONTRACT, "fields.extra"),
    ("speed: number", "speed: {type: number, required: true}", CONTRACT, "fields.speed"),
    ("shop: {type: string, entity: true", "shop: {type: string", CONTRACT, "fields.shop.entity"),
]


def effect(old: StreamConfig, new: StreamConfig) -> Effect:
    return effect_of(old, new, changes_of(old, new))


@pytest.mark.parametrize(("old", "new", "wanted", "key"), CASES, ids=[one[1] for one in CASES])
def test_each_change_is_classed(old: str, new: str, wanted: Effect, key: str) -> None:
    assert old in CONFIG
    config = parse(CONFIG.replace(old, new, 1), "new")
    changes = changes_of(OLD, config)
    assert any(change.key.startswith(key) for change in changes)
    assert effect(OLD, config) is wanted
    assert max(change.effect for change in changes) is wanted
    assert effect(config, OLD) >= min(wanted, WARM)


@pytest.mark.parametrize(("old", "new", "wanted", "key"), CASES, ids=[one[1] for one in CASES])
def test_a_state_is_taken_over_exactly_where_the_plan_says_so(
    old: str, new: str, wanted: Effect, key: str
) -> None:
    config = parse(CONFIG.replace(old, new, 1), "new")
    blob = PartitionPipeline(OLD, 0, "t").snapshot()
    keeps = OLD.state_version() == config.state_version()
    if wanted is not CONTRACT:
        assert keeps == (wanted is KEEPS)
    if keeps:
        PartitionPipeline(config, 0, "t").restore(blob)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed: 7", "seed: 7  # a comment"),
        ("trees: 25", "trees: 25, replace: 10"),
        ("speed: number", "speed: {type: number}"),
        ("{kind: number, field: speed}", "{kind: number, fields: [speed]}"),
    ],
)
def test_another_spelling_changes_no_state(old: str, new: str) -> None:
    config = parse(CONFIG.replace(old, new, 1), "new")
    assert effect(OLD, config) <= KEEPS
    assert OLD.state_version() == config.state_version()


def test_the_same_config_changes_nothing() -> None:
    assert changes_of(OLD, OLD) == []
    assert effect(OLD, OLD) is Effect.CHANGES_NOTHING
    names = [key.partition(":")[0] for key in columns_of(OLD)]
    assert names == ["log_amount", "speed", "count_by_card_1h"]


def test_the_command_says_what_a_restart_does_and_fails_beyond_what_is_accepted(
    tmp_path: Path,
) -> None:
    new, data = tmp_path / "new.yaml", tmp_path / "data"
    new.write_text(CONFIG.replace("over: 1h", "over: 2h"), encoding="utf-8")
    data.mkdir()

    def plan(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(command, [str(new), "--data", str(data), *arguments])
        return done.exit_code, done.output

    assert plan() == (2, plan()[1])
    assert "there is no store in" in plan()[1]
    store = open_store(f"sqlite:///{data / 'triage.db'}")
    assert plan() == (0, "tests: a new stream, nothing of this name ever ran here.\n")
    store.register_config("tests", OLD.version, OLD.text, 0.0)
    code, out = plan("--accept", "needs-warm-up")
    assert code == 1
    assert '  features[2].over: "1h" -> "2h"\n    resets state: ' in out
    assert "This resets state: detectors learn anew" in out
    assert "where there are fewer than 128, it alerts after that many" in out
    assert 'columns that are gone: "count_by_card_1h"' in out
    assert 'new columns: "count_by_card_2h"' in out
    assert plan("--accept", "resets-state")[0] == 0
    assert plan("--against", str(new))[1].endswith("This changes nothing: it is the same config.\n")
    new.write_text("stream: [", encoding="utf-8")
    assert plan()[0] == 2
    store.close()
