"""Topics of a Kafka cluster: making, looking up, their ids."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from streaming.topics import TopicFacts
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_python.errors import explain, explained


class KafkaTopics:
    """See ``Topics``."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._admin: Any = None

    def partitions(self, topic: str) -> int:
        """See ``Topics``."""
        return len(self._describe(topic)["partitions"])

    def topic_id(self, topic: str) -> str:
        """See ``Topics``."""
        return str(self._describe(topic)["topic_id"])

    def facts(self, topic: str) -> TopicFacts:
        """See ``Topics``."""
        found = self._describe(topic)["partitions"]
        asked = ConfigResource(ConfigResourceType.TOPIC, topic)
        with explained(f"topic {topic}"):
            told = self._client().describe_configs([asked], config_filter="all")
        configs = told["topic"][topic]
        return TopicFacts(
            len(found),
            min(len(one["replica_nodes"]) for one in found),
            {name: str(one["value"]) for name, one in configs.items()},
        )

    def close(self) -> None:
        """See ``Topics``."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def create(
        self, topic: str, partitions: int, replication: int | None, configs: Mapping[str, str]
    ) -> None:
        """See ``Topics``."""
        wanted = {
            topic: {
                "num_partitions": partitions,
                "replication_factor": replication or -1,
                "configs": dict(configs),
            }
        }
        with explained(f"topic {topic}"), contextlib.suppress(TopicAlreadyExistsError):
            self._client().create_topics(wanted, wait_for_metadata=True)

    def _describe(self, topic: str) -> Mapping[str, Any]:
        with explained(f"topic {topic}"):
            (found,) = self._client().describe_topics([topic])
        if found["error_code"]:
            raise explain(_error(found["error_code"]), f"topic {topic}")
        described: Mapping[str, Any] = found
        return described

    def _client(self) -> Any:
        if self._admin is None:
            self._admin = connect(KafkaAdminClient, self._options)
        return self._admin


def _error(code: int) -> KafkaError:
    error: KafkaError = for_code(code)()
    return error
