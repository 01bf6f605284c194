"""How verdicts are handled: declared in a stream's config, kept with it in the store."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Policy(BaseModel):
    """Policy of a stream.

    Attributes:
        undo_grace: seconds; until then a verdict is not published and undo leaves no trace outside.
        propagation_weight: weight of a label for a member that nobody read (a read one weighs 1).
        propagation_limit: at most so many unread members per verdict become labels, spread evenly
            over the cluster: one look at a huge cluster must not outweigh all other looks.
        guideline: what the analyst reads beside the cluster.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    undo_grace: float = Field(default=8.0, ge=0, le=3600)
    propagation_weight: float = Field(default=0.1, ge=0, le=1)
    propagation_limit: int = Field(default=20, ge=0, le=10_000)
    guideline: str = Field(default="", max_length=20_000)
