"""Rules: readable boxes, mined from confirmed anomalies and reviewed by people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from detectors import base
from detectors.arrays import Matrix, Vector

HIT = 8.0
"""Score of a rule that is always right: as much as one member of an ensemble may say."""

MOST_CONDITIONS = 6
Flags = npt.NDArray[np.bool_]


class Condition(base.Params):
    """One feature within limits, both included; a missing value is within none."""

    feature: str = Field(min_length=1, max_length=200, description="Column of a feature.")
    at_least: float | None = Field(default=None, allow_inf_nan=False, description="Lower limit.")
    at_most: float | None = Field(default=None, allow_inf_nan=False, description="Upper limit.")

    @model_validator(mode="after")
    def _limits_something(self) -> Condition:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least ({self.at_least}) must not exceed at_most ({self.at_most})")
        return self

    def holds(self, values: npt.NDArray[np.float32]) -> Flags:
        """Return where the values lie within the limits."""
        within = ~np.isnan(values)
        if self.at_least is not None:
            within &= values >= np.float32(self.at_least)
        if self.at_most is not None:
            within &= values <= np.float32(self.at_most)
        return within


class Rule(base.Params):
    """All conditions together."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")] = Field(
        description="Short name; explanations say it."
    )
    when: list[Condition] = Field(
        min_length=1, max_length=MOST_CONDITIONS, description="Conditions; all must hold."
    )
    precision: float = Field(
        gt=0, le=1, description="Lower bound of its precision when it was mined; its say."
    )
    expires_after: int = Field(
        ge=1,
        le=10**12,
        description="Events after which it makes no candidates any more and only counts.",
    )
    shadow: bool = Field(default=True, description="Only counts its hits, makes no candidates.")

    @model_validator(mode="after")
    def _one_condition_per_feature(self) -> Rule:
        names = [condition.feature for condition in self.when]
        if len(set(names)) < len(names):
            raise ValueError("name each feature once: at_least and at_most go together")
        return self


class Rules(base.Detector):
    """Scores an event by the best rule that it meets: 8 times that rule's precision, else 0.

    A rule knows what analysts have confirmed, at once and in words, and nothing else: it finds no
    new kind. Use it beside a forest, whose score it lifts, not alone. A rule in shadow and one that
    has expired only count what they would have hit. Age is counted in learned events, so that a
    replay expires a rule at the same event; a rule on a feature that is missing hits nothing.

    Costs about 0.01 us per event, rule and condition.

    Example:
        >>> import numpy as np
        >>> far = Rule(name="far", when=[Condition(feature="x", at_least=3.0)], precision=0.9,
        ...            expires_after=1000, shadow=False)
        >>> rules = Rules(["x"], Rules.Params(rules=[far]))
        >>> rules.learn_many(np.zeros((10, 1), np.float32))
        >>> rules.score_many(np.array([[0.5], [9.0]], np.float32)).tolist()
        [0.0, 7.2]
    """

    kind = "rules"
    natural = (0.0, 1.0)

    class Params(base.Params):
        """The rules."""

        rules: list[Rule] = Field(
            min_length=1, max_length=100, description="Rules, as `triage rules mine` prints them."
        )

        @model_validator(mode="after")
        def _names_differ(self) -> Rules.Params:
            names = [rule.name for rule in self.rules]
            if double := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"two rules are called {', '.join(double)}")
            return self

    params: Params

    @classmethod
    def examples(cls) -> Sequence[Params]:
        """Return rules that find what lies far out, and some that never make a candidate."""
        far = [
            _rule(f"far-{name}-{side}", name, side, shadow=False)
            for name in "abcde"
            for side in ("high", "low")
        ]
        idle = _rule("idle", "c", "high", shadow=True)
        gone = far[0].model_copy(update={"name": "gone", "expires_after": 1})
        unknown = far[0].model_copy(
            update={"name": "unknown", "when": [Condition(feature="nowhere", at_least=0.0)]}
        )
        return [cls.Params(rules=far), cls.Params(rules=[*far, idle, gone, unknown])]

    def _begin(self, features: int) -> None:
        self._seen = 0
        self._hits = np.zeros(len(self.params.rules), np.int64)
        places = {str(key): place for place, key in enumerate(self._keys)}
        self._columns = [
            [places.get(condition.feature) for condition in rule.when] for rule in self.params.rules
        ]

    @property
    def hits(self) -> Sequence[int]:
        """Learned events that met each rule, in shadow or not."""
        return [int(count) for count in self._hits]

    @property
    def seen(self) -> int:
        """Learned events."""
        return self._seen

    def in_force(self, rule: Rule) -> bool:
        """Return whether the rule makes candidates now."""
        return not rule.shadow and 0 < self._seen <= rule.expires_after

    def score_many(self, X: Matrix) -> Vector:
        """Return 8 times the precision of the best rule in force that each row meets, else 0."""
        best, _ = self._best(X)
        return best

    def learn_many(self, X: Matrix) -> None:
        """Count the rows, and those that meet each rule."""
        X = base.as_rows(X, len(self._keys))
        for place in range(len(self.params.rules)):
            self._hits[place] += int(np.count_nonzero(self._meets(place, X)))
        self._seen += len(X)

    def explain_many(self, X: Matrix) -> base.Attribution:
        """Give the score to the features of the rule, in equal parts, and name the rule."""
        best, which = self._best(X)
        values = np.zeros(X.shape)
        notes = []
        for row, place in enumerate(which.tolist()):
            if place < 0:
                notes.append("")
                continue
            columns = [column for column in self._columns[place] if column is not None]
            values[row, columns] = best[row] / len(columns)
            notes.append(f"rule {self.params.rules[place].name}")
        return base.Attribution(values, np.zeros(len(values)), "rules", True, tuple(notes))

    def _best(self, X: Matrix) -> tuple[Vector, npt.NDArray[np.intp]]:
        """Return each row's score and the place of the rule that it comes from, -1 = none."""
        X = base.as_rows(X, len(self._keys))
        best, which = np.zeros(len(X)), np.full(len(X), -1, np.intp)
        for place, rule in enumerate(self.params.rules):
            if not self.in_force(rule):
                continue
            better = self._meets(place, X) & (HIT * rule.precision > best)
            best[better], which[better] = HIT * rule.precision, place
        return best, which

    def _meets(self, place: int, X: Matrix) -> Flags:
        met = np.ones(len(X), bool)
        for column, condition in zip(
            self._columns[place], self.params.rules[place].when, strict=True
        ):
            if column is None:
                return np.zeros(len(X), bool)
            met &= condition.holds(X[:, column])
        return met

    def _dump(self) -> base.Snapshot:
        return base.Snapshot({"seen": self._seen}, {"hits": self._hits.copy()})

    def _load(self, snapshot: base.Snapshot) -> None:
        hits = snapshot.arrays["hits"]
        if hits.shape != self._hits.shape:
            raise ValueError("the state is of other rules")
        self._seen, self._hits = int(snapshot.meta["seen"]), hits.astype(np.int64)


def _rule(name: str, feature: str, side: str, *, shadow: bool) -> Rule:
    limit = {"at_least": 4.0} if side == "high" else {"at_most": -4.0}
    condition = Condition.model_validate({"feature": feature, **limit})
    return Rule(name=name, when=[condition], precision=0.9, expires_after=10**6, shadow=shadow)
