from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streaming.config.load import load, parse
from streaming.config.model import StreamConfig
from streaming.config.summary import summary
from streaming.config.yaml_tree import MAX_BYTES
from streaming.errors import ConfigInvalid

TEXT = """\
stream: payments
noun: {one: payment, many: payments}
key: customer
event_id: {field: id}
time: at
fields:
  id: string
  at: time
  customer: {type: string, label: card holder}
  shop: {type: string, entity: true}
  amount: {type: number, unit: €, label: money}
  speed: number
features:
  - {kind: log, field: amount}
  - {kind: number, fields: [speed, amount]}
  - {kind: log, field: speed, label: pace, unit: m/s}
  - {kind: window, entity: customer, aggregate: count, over: 1h}
  - {kind: window, entity: customer, aggregate: sum, field: amount, over: 1h}
  - {kind: window, entity: shop, aggregate: distinct, field: amount, over: 100 events}
detectors:
  - {kind: isolation_forest, trees: 50, weight: 2}
alert_budget: 0.5%
"""

SMALL = """\
stream: small
fields: {x: number}
features: [{kind: number, field: x}]
detectors: [{kind: isolation_forest}]
"""


def config(text: str = TEXT) -> StreamConfig:
    return parse(text, "p.yaml")


def test_what_stands_in_the_file_is_what_one_gets() -> None:
    loaded = config()
    assert loaded.stream == "payments"
    assert loaded.fields["amount"].unit == "€"
    assert loaded.learning_settings().alert_budget == 0.005
    assert [spec.kind for spec in loaded.detectors] == ["isolation_forest"]
    assert loaded.detectors[0].weight == 2
    assert loaded.detectors[0].params is not None
    assert loaded.detectors[0].params.model_dump()["trees"] == 50
    assert loaded.text == TEXT


def test_a_small_file_is_enough() -> None:
    small = config(SMALL)
    assert small.source.topic == "small"
    assert (small.key, small.time, small.event_id) == (None, None, None)
    assert small.name() == "small"
    assert small.entity_fields() == ()
    assert small.context_fields() == ("x",)


def test_nothing_can_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config().stream = "other"


def test_what_nothing_works_without_is_required() -> None:
    fields = config().fields
    assert [name for name, field in fields.items() if field.required] == ["id", "at"]


def test_entities_are_the_key_and_what_is_marked() -> None:
    assert config().entity_fields() == ("customer", "shop")


def test_the_history_keeps_what_features_read() -> None:
    assert config().context_fields() == ("amount", "speed", "shop")
    assert config(TEXT + "context: [id]\n").context_fields() == ("id",)


def test_the_history_keeps_what_a_record_is_kept_of() -> None:
    numbers = [f"n{i}" for i in range(10)]
    many = config(
        f"""
stream: wide
fields: {{shop: {{type: string, entity: true}}, {", ".join(f"{name}: number" for name in numbers)}}}
features:
  - {{kind: number, fields: [{", ".join(numbers)}]}}
  - {{kind: record, entity: shop, over: [1d]}}
detectors: [{{kind: isolation_forest}}]
"""
    )
    assert many.context_fields() == (*numbers[:8], "shop")


def test_features_take_label_and_unit_of_their_field_unless_they_have_their_own() -> None:
    words = [(one.label, getattr(one, "unit", None)) for one in config().features]
    assert words == [
        ("money", "€"),
        (None, ""),
        ("money", "€"),
        ("pace", "m/s"),
        (None, "payments"),
        (None, "€"),
        (None, ""),
    ]


def test_fields_is_one_feature_per_field() -> None:
    assert [one.kind for one in config().features if hasattr(one, "kind")][:4] == [
        "log", "number", "number", "log",
    ]  # fmt: skip
    long = TEXT.replace("fields: [speed, amount]", "field: speed").replace(
        "  - {kind: log, field: speed",
        "  - {kind: number, field: amount}\n  - {kind: log, field: speed",
    )
    assert config(long).features == config().features


@given(st.randoms())
def test_order_of_keys_and_comments_do_not_change_the_version(shuffler: random.Random) -> None:
    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            items = list(value.items())
            shuffler.shuffle(items)
            return {key: shuffled(one) for key, one in items}
        return [shuffled(one) for one in value] if isinstance(value, list) else value

    other = yaml.safe_dump(shuffled(yaml.safe_load(TEXT)), sort_keys=False, allow_unicode=True)
    loaded = config(f"# a comment\n{other}")
    assert loaded.version == config().version
    assert loaded.features == config().features
    assert loaded.context_fields() == config().context_fields()


@pytest.mark.parametrize(
    "change",
    [
        ("trees: 50", "trees: 51"),
        ("0.5%", "0.6%"),
        ("  - {kind: log, field: amount}\n  - {kind: number, fields: [speed, amount]}\n",
         "  - {kind: number, fields: [speed, amount]}\n  - {kind: log, field: amount}\n"),
    ],
    ids=["parameter", "budget", "order of features"],
)  # fmt: skip
def test_any_other_change_is_another_version(change: tuple[str, str]) -> None:
    assert config(TEXT.replace(*change)).version != config().version


def test_the_meaning_of_columns_outlives_other_changes() -> None:
    meaning = config().features_version()
    assert config(TEXT.replace("0.5%", "0.6%")).features_version() == meaning
    assert config(TEXT.replace("label: money", "label: cash")).features_version() == meaning
    assert config(TEXT.replace("over: 1h", "over: 2h")).features_version() != meaning
    assert (
        config(TEXT.replace("kind: log", "kind: number, name: x", 1)).features_version() != meaning
    )


def test_answers_among_the_features_are_warned_of() -> None:
    text = SMALL.replace("x", "is_fraud")
    assert config(text).warnings == (
        'p.yaml:3: features[0]: "is_fraud" looks like the answer, not like an observation',
    )
    assert "warning" in summary(config(text))


def test_windows_without_an_event_time_are_warned_of() -> None:
    text = TEXT.replace("time: at\n", "")
    assert [one.partition(": ")[2] for one in config(text).warnings] == [
        'features[3].over: "1h" counts the time of arrival: the stream declares no `time`',
        'features[4].over: "1h" counts the time of arrival: the stream declares no `time`',
    ]


def test_the_summary_tells_what_will_run() -> None:
    text = summary(config())
    assert "payments, version " + config().version[:12] in text
    assert "6: 2 number, 3 string, 1 time" in text
    assert "isolation_forest" in text
    assert "0.500% of the events" in text
    assert re.search(r"about \d+ MB per partition; up to \d+ MB more for what is kept of", text)


def test_a_file_is_loaded_with_its_name_in_the_problems(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert load(path) == config()
    path.write_text("\ufeff" + TEXT, encoding="utf-8")
    assert load(path).version == config().version
    path.write_text(TEXT.replace("kind: log", "kind: lag"), encoding="utf-8")
    with pytest.raises(ConfigInvalid, match=r'p\.yaml:14: features.*did you mean "log"'):
        load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "p.yaml: there is no such file; is the path right?"),
        (b"stream: a\nfields: \xff\n", "p.yaml:2: is not UTF-8; save the file as UTF-8"),
        (b"a" * (MAX_BYTES + 10), "p.yaml:1: is larger than 256 kB"),
        (b"", "p.yaml:1: is empty; start with `stream: NAME`"),
    ],
    ids=["absent", "not UTF-8", "large", "empty"],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "p.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigInvalid) as caught:
        load(path)
    assert message in str(caught.value)


def test_a_mistyped_path_is_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "payments.yaml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(ConfigInvalid, match=r'no such file; did you mean ".*/payments.yaml"\?'):
        load(tmp_path / "paymnets.yaml")
    with pytest.raises(ConfigInvalid, match=r"no such file, and no folder .*/absent"):
        load(tmp_path / "absent" / "payments.yaml")


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="can't be read: Is a directory"):
        load(tmp_path)
