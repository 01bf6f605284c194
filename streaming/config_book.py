"""The configs of a stream as a worker reads them from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streaming.carry import ColumnKeys, columns_of
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.errors import ConfigInvalid, Stop
from triage.rollout import Rollout
from triage.store.base_configs import ConfigReader


class ConfigBook(Mapping[str, ColumnKeys]):
    """Versions and roll-outs of one stream. Each text is read and parsed once.

    As a mapping: version of features -> their columns, of every version that this program can read.
    """

    def __init__(self, store: ConfigReader, stream: str) -> None:
        self._store = store
        self._stream = stream
        self._configs: dict[str, StreamConfig] = {}
        self._rollouts: dict[int, Rollout] = {}
        self._columns: dict[str, ColumnKeys] = {}
        self._seen: set[str] = set()

    def rollout(self, number: int) -> Rollout:
        """Return a roll-out. Raises Stop if the store does not know it."""
        if number not in self._rollouts:
            self._rollouts = {one.number: one for one in self._store.rollouts(self._stream)}
        if number not in self._rollouts:
            raise Stop(
                f"{self._stream}: roll-out {number} is not in the store. Restore the store from a "
                "backup, or start with an empty data folder."
            )
        return self._rollouts[number]

    def config(self, version: str) -> StreamConfig:
        """Return a config by its version. Raises Stop if this program can't use it."""
        if version not in self._configs:
            text = self._store.config_text(self._stream, version) or ""
            try:
                self._configs[version] = parse(text, f"config {version[:12]}")
            except ConfigInvalid as error:
                raise Stop(
                    f"{self._stream}: version {version[:12]} of the config can't be used by this "
                    f"program ({error}). Go back with `triage apply --back`, or run the program "
                    "that it was applied with."
                ) from error
        return self._configs[version]

    def __getitem__(self, features_version: str) -> ColumnKeys:
        """Return the columns of a version of features."""
        if features_version not in self._columns:
            self._learn()
        return self._columns[features_version]

    def __iter__(self) -> Iterator[str]:
        """Yield the versions of features."""
        self._learn()
        return iter(self._columns)

    def __len__(self) -> int:
        """Return how many versions of features there were."""
        self._learn()
        return len(self._columns)

    def _learn(self) -> None:
        for version in self._store.config_versions(self._stream):
            if version in self._seen:
                continue
            self._seen.add(version)
            try:
                config = self.config(version)
            except Stop:
                continue  # of a program that knew other features: its labels can't be read either
            self._columns[config.features_version()] = columns_of(config)
