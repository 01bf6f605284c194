"""``triage advise`` on a stream that somebody judges."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.support.house import House, house_in
from tests.support.streams import CONFIG, events
from triage.errors import Refused
from triage.model import VerdictKind


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = house_in(tmp_path / "data")
    house.send(events(3000))
    worker, grouper = house.worker(), house.grouper()
    house.run(worker)
    while grouper.step():
        pass
    return house


def advise(house: House, *arguments: str, stream: str = "tests") -> tuple[int, str]:
    options = ["advise", stream, "--data", str(house.folder), *arguments]
    done = CliRunner().invoke(main, options)
    return done.exit_code, done.output


def a_file(house: House, budget: str) -> str:
    path = house.folder / f"{budget}.yaml"
    path.write_text(CONFIG.replace("alert_budget: 4%", f"alert_budget: {budget}"), encoding="utf-8")
    return str(path)


def test_it_needs_verdicts_then_advises(house: House) -> None:
    code, out = advise(house, "--precision", "0.5")
    assert code == 1
    assert "0 of" in out
    assert "30 are needed to say anything" in out
    for _ in range(60):
        try:
            house.decide(VerdictKind.REAL)
        except (Refused, IndexError):
            break
    code, out = advise(house, "--precision", "30%")
    assert code == 0, out
    assert "The present budget is it: alert_budget: 4%" in out
    code, out = advise(house, "--precision", "0.9999")
    assert code == 1
    assert "No budget surely reaches" in out
    code, out = advise(house, "--miss", "0.01", "--look", "5")
    assert code == 0
    assert "alert_budget: 0.4% is it" in out
    assert "cost a day" in out
    smaller, larger = a_file(house, "0.4%"), a_file(house, "8%")
    code, out = advise(house, "--precision", "30%", stream=smaller)
    assert "The file says alert_budget: 0.4%; in force is 4%. It would come to" in out
    code, out = advise(house, "--miss", "0.01", "--look", "5", stream=smaller)
    assert "The file's budget is it: alert_budget: 0.4%" in out
    code, out = advise(house, "--precision", "30%", stream=a_file(house, "3.33%"))
    assert "   3.33%  " in out
    code, out = advise(house, "--precision", "30%", stream=larger)
    assert code == 0
    assert "The file says alert_budget: 8%; in force is 4%. What the larger one would add" in out
    assert advise(house)[0] == 2
    code, out = advise(house, "--precision", "700")
    assert code == 2
    assert "'700' is no share above 0 and below 1: write 0.7 or 70%" in out
