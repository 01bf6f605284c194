"""TLS and SASL on a real broker: who may come in, and that no secret leaks."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streaming.errors import Retry, Stop
from streaming.records import OutRecord, TopicPartition
from streaming.transports._kafka_python import client
from streaming.transports.registry import open_transport
from tests.support.java_kafka import java_can, java_kafka
from tests.support.processes import free_ports

SECRET = "open-sesame-39"  # noqa: S105 - of a broker that lives for one test
LOGIN = "org.apache.kafka.common.security"
SETTINGS = r"""
listeners=PLAINTEXT://127.0.0.1:{{broker}},CONTROLLER://127.0.0.1:{{controller}},SAFE://127.0.0.1:{safe}
advertised.listeners=PLAINTEXT://127.0.0.1:{{broker}},CONTROLLER://127.0.0.1:{{controller}},SAFE://127.0.0.1:{safe}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SAFE:SASL_SSL
ssl.keystore.type=PKCS12
ssl.keystore.location={keystore}
ssl.keystore.password=keystore
ssl.key.password=keystore
connection.failed.authentication.delay.ms=0
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.safe.plain.sasl.jaas.config={login}.plain.PlainLoginModule required \
  user_anna="{secret}";
listener.name.safe.scram-sha-256.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.safe.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.safe.oauthbearer.sasl.jaas.config={login}.oauthbearer.OAuthBearerLoginModule required;
"""


@dataclass(frozen=True, slots=True)
class Safe:
    """A broker's listener with TLS and SASL, and the certificate that signs it."""

    address: str
    ca: Path


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    if not java_can():
        pytest.skip("no Java 17 with Maven (.ci/debian-packages installs them)")
    folder = tmp_path_factory.mktemp("tls")
    keystore, ca = folder / "broker.p12", folder / "ca.pem"
    store = ("-keystore", keystore, "-storepass", "keystore", "-alias", "broker")
    keytool(
        *("-genkeypair", *store, "-storetype", "PKCS12", "-keyalg", "EC"),
        *("-dname", "CN=broker", "-ext", "SAN=ip:127.0.0.1", "-validity", "2"),
    )
    keytool("-exportcert", "-rfc", *store, "-file", ca)
    (port,) = free_ports(1)
    extra = SETTINGS.format(safe=port, keystore=keystore, login=LOGIN, secret=SECRET)
    scram = [f"{kind}=[name=anna,password={SECRET}]" for kind in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
    with java_kafka(extra, scram):
        yield Safe(f"127.0.0.1:{port}", ca)


def keytool(*arguments: str | Path) -> None:
    subprocess.run(["keytool", *arguments], check=True, capture_output=True, timeout=60)


def token(name: str) -> str:
    """Return a token without a signature: what a broker takes by default, for tests."""
    claims = {"sub": name, "iat": int(time.time()), "exp": int(time.time()) + 600}
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join([base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts] + [""])


both = pytest.mark.parametrize("scheme", ["kafka", "kafka+librdkafka"])


@both
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_records_go_in_and_out(
    safe: Safe, scheme: str, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    who = "token=env:T" if mechanism == "OAUTHBEARER" else "user=anna&password=env:P"
    secrets = {"env:P": SECRET, "env:T": token("anna")}
    transport = open_transport(
        f"{scheme}://{safe.address}?security=tls&ca={safe.ca}&sasl={mechanism}&{who}",
        time.time,
        secrets.__getitem__,
    )
    topic = f"safe-{mechanism.lower()}-{len(scheme)}"
    transport.ensure_topic(topic, 1)
    publisher = transport.publisher(topic)
    publisher.publish([OutRecord(topic, b"k", b"v")], 1)
    publisher.close()
    place = TopicPartition(topic, 0)
    consumer = transport.consumer(topic, "g", lambda places: dict.fromkeys(places, 0), print)
    for _ in range(40):
        if consumer.poll(0.5, 10):
            break
    assert [record.value for record in transport.read(place, 0, 10)] == [b"v"]
    assert set(consumer.lag().values()) == {0}
    consumer.close()
    transport.close()
    assert not any(secret in caplog.text for secret in secrets.values())


@both
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_a_wrong_password_needs_a_person(safe: Safe, scheme: str, mechanism: str) -> None:
    """Also where the refusal comes together with the end of the connection."""
    who = "token=env:P" if mechanism == "OAUTHBEARER" else "user=anna&password=env:P"
    transport = open_transport(
        f"{scheme}://{safe.address}?security=tls&ca={safe.ca}&sasl={mechanism}&{who}",
        time.time,
        lambda reference: "wrong-password",
    )
    with pytest.raises(Stop, match="check the user") as caught:
        transport.partitions("any")
    assert "wrong-password" not in str(caught.value)
    transport.close()


@both
def test_a_broker_that_nobody_vouches_for_is_not_talked_to(safe: Safe, scheme: str) -> None:
    transport = open_transport(f"{scheme}://{safe.address}?security=tls", time.time)
    with pytest.raises(Retry, match=r"agree about TLS.*certificate"):
        transport.partitions("any")
    transport.close()


@both
@pytest.mark.parametrize("how", ["", "?security=tls&ca={ca}"])
def test_without_tls_or_sasl_it_says_what_to_check(
    safe: Safe, scheme: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BOOTSTRAP_MS", 2_000)
    transport = open_transport(f"{scheme}://{safe.address}{how.format(ca=safe.ca)}", time.time)
    with pytest.raises(Retry, match="check that security, sasl and cert"):
        transport.partitions("any")
    transport.close()
