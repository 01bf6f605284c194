from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model import VerdictKind
from triage.worth import suggest, worth

probabilities = st.floats(0, 1)


@given(probabilities, probabilities)
def test_worth_orders_by_posterior(first: float, second: float) -> None:
    assert 0 <= worth(first) <= 10
    assert (first <= second) <= (worth(first) <= worth(second))


@pytest.mark.parametrize(
    ("posterior", "kind"),
    [
        (0.97, VerdictKind.REAL),
        (0.6, VerdictKind.REAL),
        (0.59, VerdictKind.UNSURE),
        (0.5, VerdictKind.UNSURE),
        (0.41, VerdictKind.UNSURE),
        (0.4, VerdictKind.SPURIOUS),
        (0.0, VerdictKind.SPURIOUS),
    ],
)
def test_suggestions(posterior: float, kind: VerdictKind) -> None:
    assert suggest(posterior) is kind
