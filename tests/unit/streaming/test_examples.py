"""Examples beside a config: what is expected, and what is said where it comes out differently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.test import command
from streaming.config.load import load
from streaming.errors import ConfigInvalid, SourceInvalid
from streaming.examples.load import config_beside, examples_beside, load_examples
from streaming.examples.run import run_examples
from tests.support.data import REPOSITORY
from tests.support.streams import CONFIG, START, event, events

USUAL = event(600, 20.0, 50.0)
STRANGE = event(600, 900.0, 50.0)
HISTORY = "history: {source: history.jsonl, events: 600}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests.yaml").write_text(CONFIG, encoding="utf-8")
    rows = [json.dumps(one) for one in events(700)]
    (tmp_path / "history.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def outcome(
    folder: Path, expect: object, *records: object, history: str = HISTORY
) -> tuple[str, ...]:
    """Return the problems of one example, without the place that they begin with."""
    path = folder / "tests.examples.yaml"
    example = {"name": "one", "records": records, "expect": expect}
    path.write_text(f"{history}\nexamples:\n  - {json.dumps(example)}\n", encoding="utf-8")
    (result,) = run_examples(load(config_beside(path)), load_examples(path))
    assert all(problem.startswith(f"{path}:3: examples[0].expect") for problem in result.problems)
    return tuple(problem.partition(": ")[2] for problem in result.problems)


@pytest.mark.parametrize(
    ("expect", "records"),
    [
        ({"candidate": False}, [USUAL]),
        ({"candidate": True}, [STRANGE]),
        ({"title": "amount"}, [STRANGE]),
        ({"features": {"log_amount": 3.04}}, [USUAL]),
        ({"features": {"log_amount": [3, 3.1]}}, [USUAL]),
        ({"features": {"log_amount": "20.00 €"}}, [USUAL]),
        ({"features": {"speed": None}}, [{**USUAL, "speed": None}]),
        ({"features": {"count_by_card_1h": "3 payments in 1 h"}}, [
            event(90_000, 20.0, 50.0), event(90_007, 20.0, 50.0), event(90_014, 20.0, 50.0),
        ]),
        ({"duplicate": True}, [USUAL, USUAL]),
        ({"duplicate": False}, [USUAL]),
        ({"dead_letter": "missing_field"}, [{"id": "e600", "at": START}]),
        ({"dead_letter": "not_json"}, ["{half"]),
    ],
)  # fmt: skip
def test_what_comes_out_as_expected(folder: Path, expect: object, records: list[object]) -> None:
    assert outcome(folder, expect, *records) == ()


@pytest.mark.parametrize(
    ("expect", "records", "message"),
    [
        ({"candidate": True}, [USUAL], "candidate: is no candidate: its margin "),
        ({"candidate": False}, [STRANGE], "candidate: is a candidate: its margin "),
        ({"title": "terminal"}, [STRANGE], 'title: "terminal" is not in the title "1 payment'),
        ({"features": {"log_amount": 4}}, [USUAL], 'log_amount: expected 4, is 3.04452 ("20.00 €"'),
        ({"features": {"log_amount": [4, 5]}}, [USUAL], "log_amount: expected 4 to 5, is 3.04452"),
        ({"features": {"log_amount": None}}, [USUAL], "log_amount: expected it to be missing, is"),
        ({"features": {"speed": 5}}, [{**USUAL, "speed": None}], "expected 5, is missing"),
        ({"features": {"amount": 4}}, [USUAL], 'no such column, did you mean "log_amount"?'),
        ({"candidate": False}, [{"id": "x"}], "be accepted, is missing_field (required field"),
        ({"duplicate": True}, [USUAL], "expected the record to be duplicate, is accepted"),
        ({"dead_letter": "too_long"}, ["{half"], "to be too_long, is not_json (not a JSON object"),
    ],
)
def test_what_comes_out_differently_is_said(
    folder: Path, expect: object, records: list[object], message: str
) -> None:
    (problem,) = outcome(folder, expect, *records)
    assert message in problem


def test_a_detector_that_is_warming_up_says_nothing_about_candidates(folder: Path) -> None:
    (problem,) = outcome(folder, {"candidate": False}, USUAL, history="")
    assert "can't be told: warm_up takes 128 more events of history" in problem


def test_no_example_sees_the_records_of_another(folder: Path) -> None:
    path = folder / "tests.examples.yaml"
    same = {"records": [USUAL], "expect": {"duplicate": False}}
    texts = [json.dumps({"name": name, **same}) for name in "ab"]
    path.write_text("examples:\n" + "".join(f"  - {text}\n" for text in texts), encoding="utf-8")
    results = run_examples(load(folder / "tests.yaml"), load_examples(path))
    assert [result.problems for result in results] == [(), ()]


def test_a_history_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(SourceInvalid, match=r"histry\.jsonl: no such file"):
        outcome(folder, {"candidate": True}, USUAL, history="history: {source: histry.jsonl}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: is empty"),
        ("examples: []", "1: examples: is empty; add one"),
        ("- a", "1: must hold examples, like"),
        ("example: []", '1: example: unknown key, did you mean "examples"?'),
        ("examples:\n  - {name: a, records: [], expect: {candidate: true}}", "records: is empty"),
        ("examples:\n  - {name: a, records: [5], expect: {candidate: true}}", "must be a section"),
        ("examples:\n  - {name: a, records: [{}], expect: {}}", "expect: expects nothing; add"),
        (
            "examples:\n  - {name: a, records: [{}], expect: {candidate: no}}",
            '2: examples[0].expect.candidate: must be true or false, not "no"',
        ),
        (
            "examples:\n  - {name: a, records: [{}], expect: {title: x, candidate: false}}",
            "expect.title: only a candidate has a title; remove one of both",
        ),
        (
            "examples:\n  - {name: a, records: [{}], expect: {title: x, duplicate: true}}",
            "expect.duplicate: such a record has no features and no candidate; remove one of both",
        ),
        (
            "examples:\n  - {name: a, records: [{}], expect: {features: {x: [2, 1]}}}",
            "expect.features.x: a range is two numbers, the smaller first, like [2.5, 4]",
        ),
        (
            "examples:\n  - {name: a, records: [{}], expect: {dead_letter: not-json}}",
            'expect.dead_letter: "not-json" is no reason, did you mean "not_json"?',
        ),
        (
            "examples:" + 2 * "\n  - {name: a, records: [{}], expect: {candidate: true}}",
            "3: examples[1].name: is the name of examples[0] too; give it another",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.examples.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        load_examples(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}:")
    assert message in problem


def test_files_stand_beside_each_other() -> None:
    assert examples_beside(Path("a/pay.yaml")) == Path("a/pay.examples.yaml")
    assert config_beside(Path("a/pay.examples.yaml")) == Path("a/pay.yaml")


def test_the_command_fails_the_build_of_whoever_runs_it(folder: Path) -> None:
    outcome(folder, {"candidate": True}, USUAL)
    done = CliRunner().invoke(command, [str(folder / "tests.yaml")])
    assert done.exit_code == 1
    assert "  wrong  one\n" in done.output
    assert done.output.endswith("1 example: 1 wrong\n")
    outcome(folder, {"candidate": False}, USUAL)
    done = CliRunner().invoke(command, [str(folder / "tests.examples.yaml")])
    assert done.exit_code == 0
    assert done.output.endswith("  right  one\n1 example: right\n")
    (folder / "tests.examples.yaml").unlink()
    done = CliRunner().invoke(command, [str(folder / "tests.yaml")])
    assert done.exit_code == 2
    assert "tests.examples.yaml: there is no such file; write one with examples" in done.output


@pytest.mark.parametrize(
    "path", sorted(REPOSITORY.glob("examples/streams/*.examples.yaml")), ids=str
)
def test_the_shipped_examples_are_right(path: Path) -> None:
    results = list(run_examples(load(config_beside(path)), load_examples(path)))
    assert results
    assert [problem for result in results for problem in result.problems] == []
