"""A Kafka broker of our own: the jars from Maven Central, Java 17, a temporary folder."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.support.data import REPOSITORY
from tests.support.kafka_clients import answers
from tests.support.processes import free_ports, running, tail, wait_until

POM = Path(__file__).parent / "kafka" / "pom.xml"
OLDEST_JAVA = 17  # Kafka 4
START_SECONDS = 90.0
DOWNLOAD_SECONDS = 600.0  # 54 MB of jars, once
SOON = ("-XX:TieredStopAtLevel=1",)  # ready after two thirds of the work, slower when worked hard

# One node that is broker and controller, on loopback only, with small internal topics. When it was
# killed it can come back after its old session has ended: by default that takes nine seconds.
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
broker.session.timeout.ms=4000
"""


def java_can() -> bool:
    """Tell whether a broker can be started with the Java that is here."""
    return _java_version() >= OLDEST_JAVA and bool(_jars_are_there() or shutil.which("mvn"))


class JavaKafka:
    """A broker in ``folder`` that can be killed and started again.

    ``extra`` are more lines of its settings (the last of a name counts); ``scram`` has users, as
    the format tool takes them; ``flags`` are for Java.
    """

    def __init__(
        self,
        folder: Path,
        extra: str = "",
        scram: Sequence[str] = (),
        flags: Sequence[str] = SOON,
    ) -> None:
        broker, controller = free_ports(2)
        self.address = f"127.0.0.1:{broker}"
        self._folder = folder
        self._log = folder / "broker.log"
        self._settings = folder / "server.properties"
        names = {"broker": broker, "controller": controller, "folder": folder}
        self._settings.write_text((SETTINGS + extra).format(**names))
        java = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC"]
        jars = ["-cp", f"{kafka_jars()}/*"]
        users = [word for user in scram for word in ("--add-scram", user)]
        subprocess.run(
            [*java, *SOON, *jars, "kafka.tools.StorageTool", "format", "--standalone", *users,
             "-t", "4L6g3nShT-eMCtK--X86sw", "-c", self._settings],
            capture_output=True, check=True, timeout=START_SECONDS, cwd=folder,
        )  # fmt: skip
        self._command: list[str | Path] = [*java, *flags, *jars, "kafka.Kafka", self._settings]
        self._process = contextlib.ExitStack()
        self._killed: Callable[[], None] = lambda: None
        self._signal: Callable[[int], None] = lambda number: None

    def start(self) -> None:
        """Start it and wait until it answers."""
        process = self._process.enter_context(running(self._command, log=self._log))
        self._killed = process.kill
        self._signal = process.send_signal
        try:
            wait_until(
                lambda: answers(self.address), seconds=START_SECONDS, what="Kafka", process=process
            )
        except RuntimeError as error:
            error.add_note(tail(self._log))
            raise

    def kill(self) -> None:
        """Kill -9."""
        self._killed()
        self._process.close()

    def freeze(self) -> None:
        """Let it stand still: connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it in order."""
        self._process.close()


@contextlib.contextmanager
def java_kafka(
    extra: str = "",
    scram: Sequence[str] = (),
    folder: Path | None = None,
    flags: Sequence[str] = SOON,
) -> Iterator[JavaKafka]:
    """A running broker, in ``folder`` or one of its own, as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="triage-kafka-") as own:
        broker = JavaKafka(folder or Path(own), extra, scram, flags)
        try:
            broker.start()
            yield broker
        finally:
            broker.stop()


def kafka_version() -> str:
    """Return the version of the broker that the tests use."""
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
    """Where the jars are kept; a changed list of them has a folder of its own."""
    listed = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    return REPOSITORY / ".cache" / f"kafka-{kafka_version()}-{listed}"


def _jars_are_there() -> bool:
    return _jar_folder().is_dir()


def kafka_jars() -> Path:
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
        with contextlib.suppress(OSError):  # another process has brought them meanwhile
            Path(unfinished, "jars").rename(folder)
    return folder
