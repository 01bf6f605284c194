"""What a stream's config says of learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from detectors.base import Params
from detectors.duration import Duration
from detectors.pace import AlertLimit


class LearningSettings(Params):
    """How a stream's detector learns, from events and from verdicts, and how often it alerts."""

    block: int = Field(
        default=1024, ge=1, le=65_536, description="Accepted events learned at a time."
    )
    warm_up: int = Field(
        default=2048, ge=1, le=10**7, description="Accepted events learned before alerts start."
    )
    alert_budget: float = Field(
        default=0.002, gt=0, lt=1, description="Share of the events that may become candidates."
    )
    alert_limit: AlertLimit | None = Field(
        default=None,
        description="At most so many candidates of each partition per hour or day of event time, "
        "beside the share: the strongest. What it holds back is counted.",
    )
    threshold_window: int = Field(
        default=10_000, ge=100, le=10**6, description="Latest events that the share refers to."
    )
    kappa: float = Field(
        default=40.0, gt=0, le=1000, description="How far verdicts may move scores; less = slower."
    )
    presumed_normal: int = Field(
        default=100,
        ge=0,
        le=1000,
        description="Recent events that are presumed normal, with little weight, wherever labels "
        "are fitted: they keep verdicts from bending what nobody looked at.",
    )
    max_labels: int = Field(
        default=600,
        ge=1,
        le=5000,
        description="Labels learned from. Of more, those that were read stay before those that "
        "were only inferred, and the newest before the rest.",
    )
    label_half_life: Duration | None = Field(
        default=None,
        description="After so much event time a label counts half, after twice as much a quarter, "
        "such as `90d`; left out, labels do not age.",
    )
    refit_every: int = Field(
        default=32,
        ge=1,
        le=1000,
        description="Blocks after which labels are fitted to new trees; sooner while they are few.",
    )
    explanations: Literal["tree_shap", "shap_library"] = Field(
        default="tree_shap", description="Our kernel, or the shap library (slower, the reference)."
    )

    def of_state(self) -> Mapping[str, Any]:
        """Return the settings that the state follows from: a model with equal ones can go on."""
        beside = {"alert_budget", "alert_limit", "explanations"}
        return self.model_dump(mode="json", exclude=beside, exclude_none=True)

    @model_validator(mode="after")
    def _block_ends_in_time(self) -> LearningSettings:
        if self.block > self.warm_up:
            raise ValueError(
                f"block ({self.block}) must not exceed warm_up ({self.warm_up}): "
                "nothing is known before the first block ends"
            )
        return self
