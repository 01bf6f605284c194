from __future__ import annotations

import pytest

from triage.access import ALLOWED, Action, allowed, authorise
from triage.errors import NotAllowed
from triage.model import Actor

EXPECTED = {
    ("viewer", Action.READ),
    ("analyst", Action.READ),
    ("analyst", Action.DECIDE),
    ("analyst", Action.REGROUP),
    ("analyst", Action.ASSIGN),
    ("analyst", Action.UNDO_OWN),
    ("lead", Action.READ),
    ("lead", Action.DECIDE),
    ("lead", Action.REGROUP),
    ("lead", Action.ASSIGN),
    ("lead", Action.UNDO_OWN),
    ("lead", Action.UNDO_OTHERS),
    ("lead", Action.SETTLE),
    ("lead", Action.TELL_TRUTH),
    ("lead", Action.ROLL_BACK),
    ("lead", Action.MANAGE_ACCESS),
    ("service", Action.READ),
    ("service", Action.TELL_TRUTH),
}


@pytest.mark.parametrize("role", [*ALLOWED, "stranger", ""])
@pytest.mark.parametrize("action", list(Action))
def test_each_cell_of_the_table(role: str, action: Action) -> None:
    assert allowed(Actor("x", role), action) is ((role, action) in EXPECTED)


def test_a_refusal_names_who_may() -> None:
    with pytest.raises(NotAllowed, match=r"vic \(viewer\) may not decide; it takes: analyst, lead"):
        authorise(Actor("vic", "viewer"), Action.DECIDE)
    authorise(Actor("anna", "analyst"), Action.DECIDE)
