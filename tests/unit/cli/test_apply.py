"""``triage apply`` and ``triage stages`` as an engineer types them."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.support.streams import CONFIG
from triage.store.store import open_store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    with closing(open_store(f"sqlite:///{folder / 'triage.db'}")):
        pass
    return folder


def triage(data: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, [*arguments, "--data", str(data)])
    return done.exit_code, done.output


def a_file(folder: Path, name: str, old: str = "", new: str = "") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(CONFIG.replace(old, new), encoding="utf-8")
    return str(path)


def test_plan_apply_shadow_live_and_back(data: Path) -> None:
    first = a_file(data, "first")
    second = a_file(data, "second", "alert_budget: 4%", "alert_budget: 1%")
    code, out = triage(data, "apply", first, "--new", "--reason", "begin", "--as", "eve")
    assert (code, "Roll-out 1 of tests" in out) == (0, True)
    code, out = triage(data, "apply", second, "--stage", "shadow", "--reason", "too many alerts")
    assert code == 0, out
    assert 'alert_budget: "4%" -> "1%"\n    keeps state' in out
    assert "is tried in shadow" in out
    code, out = triage(data, "stages", "tests")
    assert "is tried in shadow" in out
    assert "no event seen yet" in out
    assert "by command line: too many alerts" in out
    third = a_file(data, "third", "alert_budget: 4%", "alert_budget: 2%")
    code, out = triage(data, "apply", third, "--stage", "shadow")
    assert code == 0, out
    assert "This ends the trial of version" in out
    assert "in shadow, by command line." in out
    assert triage(data, "apply", second, "--stage", "shadow", "--again")[0] == 0
    code, out = triage(data, "apply", second)
    assert code == 0
    assert "It is in shadow: it goes live with what it has learned there." in out
    assert "This keeps state" not in out
    assert "runs on beside it for a while" in out
    assert "  it is watched at least until 2" in triage(data, "stages", "tests")[1]
    assert "is in force" in triage(data, "apply", "--back", "tests")[1]
    code, out = triage(data, "apply", second)
    assert code == 1
    assert "taken back by command line" in out
    assert "--again" in out
    assert triage(data, "apply", second, "--again")[0] == 0


def test_a_change_that_was_taken_back_is_not_taken_back_twice(data: Path) -> None:
    assert triage(data, "apply", a_file(data, "first"), "--new")[0] == 0
    for name, budget in (("second", "2%"), ("third", "1%")):
        changed = a_file(data, name, "alert_budget: 4%", f"alert_budget: {budget}")
        assert triage(data, "apply", changed, "--reason", name)[0] == 0
    code, out = triage(data, "apply", "--back", "--of", "2", "tests")
    assert code == 1
    assert "the last change is roll-out 3 (version " in out
    assert "Takes back" not in out
    code, out = triage(data, "apply", "--back", "tests", "--as", "eve")
    assert code == 0
    assert re.search(r"Takes back roll-out 3: version \w+ in force, by command line \(third\)", out)
    code, out = triage(data, "apply", "--back", "tests", "--as", "bob")
    assert code == 1
    assert "Nothing was done" in out
    assert "taken back to version" in out
    assert "by eve" in out
    assert triage(data, "apply", "--back", "--of", "4", "tests")[0] == 0
    assert triage(data, "apply", "--of", "4", "tests")[0] == 2


def test_the_plan_shows_an_added_feature_whole_and_of_a_trial_only_what_is_to_come(
    data: Path,
) -> None:
    assert triage(data, "apply", a_file(data, "first"), "--new")[0] == 0
    long = "what is taken at a terminal within an hour in all of its currencies"
    added = (
        "  - {kind: window, entity: shop, aggregate: sum, field: amount, over: 1h, label: LONG}\n"
    )
    more = added.replace("LONG", long) + "detectors:"
    second = a_file(data, "second", "detectors:", more)
    code, out = triage(data, "plan", second)
    assert code == 0, out
    assert '  features[3]: absent -> {"kind": "window", "entity": "shop", ' in out
    assert f'"over": "1h", "label": "{long}"' in out
    assert "features:" not in out
    assert "This resets state: detectors learn anew" in out
    assert triage(data, "apply", second, "--stage", "shadow")[0] == 0
    code, out = triage(data, "apply", second)
    assert code == 0, out
    assert "It is in shadow: it goes live with what it has learned there." in out
    assert "learn anew" not in out
    assert "first learns" not in out
    assert 'new columns: "sum_amount_by_shop_1h"' in out


def test_what_is_wrong_is_said_and_nothing_done(data: Path) -> None:
    first = a_file(data, "first")
    assert triage(data, "apply", "--back", "nobody")[0] == 1
    assert triage(data, "stages", "nobody") == (
        1,
        "Error: nobody: the store knows no such stream; there are: none\n",
    )
    assert triage(data, "apply", first, "--new")[0] == 0
    other = a_file(data, "other", "over: 1h", "over: 2h")
    code, out = triage(data, "apply", other, "--accept", "needs-warm-up")
    assert code == 1
    assert "Nothing was done: more than --accept needs-warm-up" in out
    Path(other).write_text("stream: [", encoding="utf-8")
    assert triage(data, "apply", other)[0] == 2
    empty = data / "empty"
    empty.mkdir()
    code, out = triage(empty, "apply", first)
    assert code == 1
    assert "nothing has run there yet" in out


def test_a_mistyped_stream_is_asked_about_and_can_be_retired_and_taken_up(data: Path) -> None:
    assert triage(data, "apply", a_file(data, "first"), "--new")[0] == 0
    wrong = a_file(data, "wrong", "stream: tests", "stream: test")
    code, out = triage(data, "apply", wrong)
    assert code == 1
    assert 'test: a new stream, nothing of this name ever ran here. Did you mean "tests"?' in out
    assert "Nothing was done. To create the stream: --new" in out
    assert triage(data, "apply", wrong, "--new", "--as", "eve")[0] == 0
    code, out = triage(data, "apply", "test", "--retire", "--as", "eve", "--reason", "mistyped")
    assert code == 0, out
    assert "Roll-out 2 of test: the stream is retired; its workers end at their next commit" in out
    code, out = triage(data, "stages")
    assert "test: retired, with version" in out
    assert "tests: version" in out
    code, out = triage(data, "stages", "test")
    assert "retire  " in out
    assert "by eve: mistyped" in out
    assert triage(data, "apply", "test", "--retire")[0] == 1
    assert "test is retired; to take it up first" in triage(data, "plan", wrong)[1]
    for words in (
        ["apply", wrong],
        ["apply", wrong, "--again"],
        ["apply", wrong, "--stage=shadow"],
    ):
        code, out = triage(data, *words)
        assert code == 1
        assert "test was retired by eve (mistyped). To take it up again: triage apply --back" in out
    assert triage(data, "apply", "--back", "--retire", "test")[0] == 2
    code, out = triage(data, "apply", "--back", "test", "--reason", "it was right")
    assert code == 0, out
    assert "test: version" in triage(data, "stages")[1]
    code, out = triage(data, "apply", "--retire", "nobody")
    assert (code, "no such stream; there are: test, tests" in out) == (1, True)
