"""Topics of a Kafka cluster through librdkafka."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from streaming.errors import Stop, TransportUnavailable, UnknownTopic
from streaming.topics import TopicFacts
from streaming.transports._kafka_library import PATIENCE_S
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_reach import check_reachable
from streaming.transports._librdkafka.client import settings_of
from streaming.transports._librdkafka.errors import Told, explain, explained

ANSWER_S = 10.0
LOOK_S = 0.1

T = TypeVar("T")


class KafkaTopics:
    """See ``Topics``."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._told = Told()
        self._admin: AdminClient | None = None

    def create(
        self, topic: str, partitions: int, replication: int | None, configs: Mapping[str, str]
    ) -> None:
        """See ``Topics``."""
        wanted = NewTopic(topic, partitions, replication or -1, config=dict(configs))
        with explained(f"topic {topic}", self._told):
            made = self._client().create_topics([wanted], request_timeout=PATIENCE_S)
            try:
                self._wait(made[topic])
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
        self._wait_until_known(topic)

    def partitions(self, topic: str) -> int:
        """See ``Topics``."""
        return len(self._describe(topic).partitions)

    def topic_id(self, topic: str) -> str:
        """See ``Topics``."""
        written = str(self._describe(topic).topic_id)  # in base64, as Kafka's own tools do
        return str(uuid.UUID(bytes=base64.urlsafe_b64decode(written + "==")))

    def facts(self, topic: str) -> TopicFacts:
        """See ``Topics``."""
        found = self._describe(topic).partitions
        asked = ConfigResource(ResourceType.TOPIC, topic)
        with explained(f"topic {topic}", self._told):
            told = self._client().describe_configs([asked], request_timeout=ANSWER_S)
            configs = self._wait(told[asked])
        return TopicFacts(
            len(found),
            min(len(one.replicas) for one in found),
            {name: str(one.value) for name, one in configs.items()},
            bounded=False,
        )

    def close(self) -> None:
        """See ``Topics``."""
        self._admin = None

    def _describe(self, topic: str) -> TopicDescription:
        if not topic:
            raise Stop("topic: has no name")
        with explained(f"topic {topic}", self._told):
            asked = self._client().describe_topics(
                TopicCollection([topic]), request_timeout=ANSWER_S
            )
            found: TopicDescription = self._wait(asked[topic])
        return found

    def _wait(self, answer: Future[T]) -> T:
        """Return the answer; don't wait for one that a refused password keeps from coming."""
        while not answer.done():
            self._client().poll(LOOK_S)
            if self._told.final:
                raise explain(self._told.final, self._options.name)
        return answer.result()

    def _wait_until_known(self, topic: str) -> None:
        """Return when the brokers tell of a topic that was just made."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._describe(topic)
            except UnknownTopic:
                if time.monotonic() > deadline:
                    raise TransportUnavailable(f"topic {topic}: made, but not told of") from None
                time.sleep(LOOK_S)
            else:
                return

    def _client(self) -> Any:
        if self._admin is None:
            check_reachable(self._options)
            self._admin = AdminClient(settings_of(self._options, self._told))
        return self._admin
