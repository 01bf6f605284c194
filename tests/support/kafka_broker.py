"""A real Kafka broker for the tests, from the first of these that is there.

1. ``KAFKA_BOOTSTRAP_SERVERS``: a broker that somebody else runs.
2. A Docker engine: the ``apache/kafka`` image through testcontainers.
3. Java 17 and Maven: the broker's jars from Maven Central, kept in ``.cache/`` of the repository.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from testcontainers.core.container import DockerContainer

from streaming.errors import StreamingError
from streaming.transports._kafka_client import connect
from tests.support.data import REPOSITORY
from tests.support.docker import engine_answers
from tests.support.processes import POLL, free_ports, running, tail, wait_until

POM = Path(__file__).parent / "kafka" / "pom.xml"
OLDEST_JAVA = 17  # Kafka 4
START_SECONDS = 90.0
CLOSING_SECONDS = 10.0  # a client's thread may still be about to end
CLIENT_THREADS = ("kafka-io-", "-network-thread")  # in kafka-python's names of them
DOWNLOAD_SECONDS = 600.0  # 43 MB of jars, once

# One node that is broker and controller, on loopback only, with small internal topics.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """The address of a real Kafka broker. It creates no topics by itself: create what you use."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    with contextlib.ExitStack() as stack:
        if given:
            yield given
        elif engine_answers():
            yield stack.enter_context(_container())
        elif _java_version() >= OLDEST_JAVA and (_jars_are_there() or shutil.which("mvn")):
            yield stack.enter_context(_java_broker(_jars()))
        else:
            pytest.skip(
                "no Kafka broker: neither KAFKA_BOOTSTRAP_SERVERS, nor a Docker engine, nor "
                "Java 17 with Maven (.ci/debian-packages installs the last)"
            )


@pytest.fixture(autouse=True)
def _kafka_clients_are_closed() -> Iterator[None]:
    """Fail a test that leaves a client of kafka-python running.

    It would go on on its thread, and reconnect in vain when the broker has ended, long after the
    test: what then goes wrong is nobody's.
    """
    before = _client_threads()
    yield
    for thread in _client_threads() - before:
        thread.join(CLOSING_SECONDS)
        assert not thread.is_alive(), f"a Kafka client was not closed: {thread.name}"


def _client_threads() -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if any(word in thread.name for word in CLIENT_THREADS)
    }


def answers(bootstrap: str) -> bool:
    """Tell whether a broker at this address lists its topics."""
    try:
        admin = connect(KafkaAdminClient, bootstrap.split(","))
    except StreamingError:
        return False
    try:
        admin.list_topics()
    except KafkaError:
        return False
    finally:
        admin.close()
    return True


def _kafka_version() -> str:
    found = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>(.+?)<", POM.read_text())
    if found is None:
        raise RuntimeError(f"{POM} names no version of kafka_2.13")
    return found[1]


@functools.cache
def _java_version() -> int:
    """The major version of the Java that is installed; 0 when there is none."""
    if not shutil.which("java"):
        return 0
    said = subprocess.run(["java", "-version"], capture_output=True, check=False, timeout=60)
    found = re.search(rb'version "(\d+)', said.stderr)
    return int(found[1]) if found else 0


def _jar_folder() -> Path:
    return REPOSITORY / ".cache" / f"kafka-{_kafka_version()}"


def _jars_are_there() -> bool:
    return _jar_folder().is_dir()


def _jars() -> Path:
    """Return the folder with the broker's jars, downloaded at the first call ever."""
    folder = _jar_folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        done = subprocess.run(
            ["mvn", "--quiet", "--batch-mode", f"--file={POM}", "dependency:copy-dependencies",
             "-DincludeScope=runtime", f"-DoutputDirectory={unfinished}/jars"],
            capture_output=True, check=False, timeout=DOWNLOAD_SECONDS, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"Maven could not fetch Kafka's jars:\n{done.stdout[-2000:]}")
        Path(unfinished, "jars").rename(folder)
    return folder


@contextlib.contextmanager
def _java_broker(jars: Path) -> Iterator[str]:
    broker, controller = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="triage-kafka-") as folder:
        settings = Path(folder, "server.properties")
        settings.write_text(SETTINGS.format(broker=broker, controller=controller, folder=folder))
        java = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{jars}/*"]
        tool = [*java, "kafka.tools.StorageTool"]
        subprocess.run(
            [*tool, "format", "--standalone", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", settings],
            capture_output=True, check=True, timeout=START_SECONDS, cwd=folder,
        )  # fmt: skip
        log = Path(folder, "broker.log")
        address = f"127.0.0.1:{broker}"
        with running([*java, "kafka.Kafka", settings], log=log) as process:
            try:
                wait_until(
                    lambda: answers(address), seconds=START_SECONDS, what="Kafka", process=process
                )
            except RuntimeError as error:
                error.add_note(tail(log))
                raise
            yield address


@contextlib.contextmanager
def _container() -> Iterator[str]:
    (port,) = free_ports(1)
    environment = {
        "CLUSTER_ID": "4L6g3nShT-eMCtK--X86sw",
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "CONTROLLER://:9093,HOST://:9092",
        "KAFKA_ADVERTISED_LISTENERS": f"HOST://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,HOST:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "HOST",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    }
    container = DockerContainer(f"apache/kafka:{_kafka_version()}").with_bind_ports(9092, port)
    for name, value in environment.items():
        container.with_env(name, value)
    with container:
        address = f"127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not answers(address):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kafka's container did not answer in {START_SECONDS:g} seconds")
            time.sleep(POLL)
        yield address
