"""Processor time of the product's stages, measured from outside so that the product carries none.

A stage is charged what its methods take, less what methods of other stages inside of them do.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from detectors.features.feature_set import FeatureSet
from detectors.model import StreamModel
from detectors.trees import Trees
from streaming.candidate_maker import CandidateMaker
from streaming.decode import Decoder
from streaming.drift import DriftWatch
from streaming.entity_history import EntityHistory
from streaming.grouper import Groups
from streaming.pipeline import PartitionPipeline

PIPELINE: Mapping[str, tuple[tuple[type, str], ...]] = {
    "decode": ((Decoder, "decode"),),
    "columns, features": ((Decoder, "columns"), (FeatureSet, "extract")),
    "watch for drift": ((DriftWatch, "add"),),
    "score": ((StreamModel, "score"), (Trees, "sums_of")),
    "grow trees": ((Trees, "grow"),),
    "learn: window, threshold, scale": ((StreamModel, "learn"),),
    "explain": ((StreamModel, "explain"),),
    "reasons": ((FeatureSet, "reasons"),),
    "contexts": ((EntityHistory, "before"),),
    "candidates": ((CandidateMaker, "of_row"), (Decoder, "fields")),
    "clusters, titles": ((Groups, "add"),),
    "rest of the pipeline": ((PartitionPipeline, "process"),),
}
"""Stage -> the methods that are it."""


class Stages:
    """Seconds of the calling thread by stage, while ``watching``."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inside = [0.0]  # seconds of stages within the one that runs, outermost first

    @contextmanager
    def watching(self, stages: Mapping[str, tuple[tuple[type, str], ...]]) -> Iterator[None]:
        """Put timers around the methods for as long as the block lasts."""
        plain = [
            (owner, name, getattr(owner, name)) for ways in stages.values() for owner, name in ways
        ]
        for stage, ways in stages.items():
            for owner, name in ways:
                setattr(owner, name, self.timed(stage, getattr(owner, name)))
        try:
            yield
        finally:
            for owner, name, method in plain:
                setattr(owner, name, method)

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``work``, its time charged to ``stage``."""

        @functools.wraps(work)
        def charged(*arguments: Any, **named: Any) -> Any:
            self._inside.append(0.0)
            begun = time.thread_time()
            try:
                return work(*arguments, **named)
            finally:
                took = time.thread_time() - begun
                self.spent[stage] += took - self._inside.pop()
                self._inside[-1] += took

        return charged
