"""The options of a ``kafka://`` URL: what is meant, what is refused, and where secrets are."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streaming.errors import Stop
from streaming.transports._kafka_options import OPTIONS, parse
from streaming.transports._kafka_python.client import settings_of
from streaming.transports._librdkafka.client import settings_of as librdkafka_settings
from streaming.transports._librdkafka.errors import Told
from streaming.transports.registry import open_transport, schemes
from tests.support.data import REPOSITORY

SECRETS = {"env:KAFKA_PASSWORD": "open sesame", "file:/run/secrets/token": "a.b.c"}


def secret(reference: str) -> str:
    return SECRETS[reference]


def test_addresses_alone_are_enough() -> None:
    options = parse("kafka://a:9092,b:9093", secret)
    assert options.bootstrap == ("a:9092", "b:9093")
    assert (options.prefix, options.member, options.compression) == ("triage", None, "lz4")
    assert settings_of(options)["security_protocol"] == "PLAINTEXT"
    assert librdkafka_settings(options, Told())["security.protocol"] == "plaintext"


def test_a_broker_that_comes_back_is_tried_within_a_second_or_so() -> None:
    options = parse("kafka://a:9092", secret)
    assert settings_of(options)["reconnect_backoff_max_ms"] == 1_000
    assert librdkafka_settings(options, Told())["reconnect.backoff.max.ms"] == 1_000


def test_scram_over_tls() -> None:
    options = parse(
        "kafka://a:9093?security=tls&sasl=SCRAM-SHA-512&user=triage&password=env:KAFKA_PASSWORD"
        "&client_id=worker-3&prefix=team-a&member=w3&compression=zstd",
        secret,
    )
    assert options.tls is not None
    assert options.tls.context.verify_mode is ssl.CERT_REQUIRED
    assert options.tls.context.check_hostname
    assert (options.prefix, options.member, options.compression) == ("team-a", "w3", "zstd")
    told = settings_of(options)
    assert told["security_protocol"] == "SASL_SSL"
    assert told["sasl_plain_password"] == "open sesame"  # noqa: S105
    assert told["client_id"] == "worker-3"
    assert "open sesame" not in repr(options)


def test_both_libraries_are_told_the_same() -> None:
    options = parse(
        "kafka+librdkafka://a:9093?security=tls&sasl=SCRAM-SHA-512&user=triage"
        "&password=env:KAFKA_PASSWORD&client_id=worker-3",
        secret,
    )
    told = librdkafka_settings(options, Told())
    expected = {
        "bootstrap.servers": "a:9093",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "triage",
        "sasl.password": "open sesame",
        "client.id": "worker-3",
    }
    assert {name: told[name] for name in expected} == expected


def test_a_token_is_read_anew_each_time() -> None:
    asked: list[str] = []

    def renewed(reference: str) -> str:
        asked.append(reference)
        return f"token {len(asked)}"

    url = "kafka://a:1?security=tls&sasl=OAUTHBEARER&token=file:/run/secrets/token"
    options = parse(url, renewed)
    provider = settings_of(options)["sasl_oauth_token_provider"]
    assert provider.token() != provider.token()
    ask = librdkafka_settings(options, Told())["oauth_cb"]
    (first, until), (second, _) = ask(""), ask("")
    assert first != second
    assert until > time.time(), "it is asked for again before"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("prefx=x", 'unknown option, did you mean "prefix"'),
        ("zzz=1", "unknown option; known are prefix, "),
        ("prefix=", "prefix: is empty"),
        ("prefix=triage.a", "not begin with triage"),
        ("compression=snappy", "choose lz4, zstd, gzip, none"),
        ("security=ssl", "choose plaintext, tls"),
        ("security=tls&ca=/no/such/file", "there is no such file"),
        ("ca=x.pem", "with security=tls only"),
        ("sasl=PLAIN&user=a&password=env:KAFKA_PASSWORD", "say security=tls"),
        ("security=tls&sasl=PLAIN&user=a", "needs password"),
        ("security=tls&sasl=OAUTHBEARER", "needs token"),
        ("security=tls&sasl=KERBEROS", "choose PLAIN"),
        ("security=tls&sasl=PLAIN&user=a&password=hunter2", "never the secret itself"),
        ("security=tls&user=a&password=env:KAFKA_PASSWORD", "user: is of use with sasl only"),
        ("member=a&prefix=b&member=c", "member: is given twice"),
        ("prefix=a/b", "prefix=a/b: may hold letters"),
        ("member=worker 0", "member=worker 0: may hold letters"),
        (f"security=tls&ca={__file__}", "no certificates can be read from it"),
    ],
)
def test_what_makes_no_sense_is_explained(query: str, message: str) -> None:
    with pytest.raises(Stop, match=message) as caught:
        parse(f"kafka://a:1?{query}", secret)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *("kafka://", "kafka:", "kafka://user:hunter2@a:1", "kafka://a", "kafka://a:1,b"),
        *("kafka://a:x", "kafka://a:0", "kafka://a:65536", "kafka://a:1;security=tls"),
    ],
)
def test_an_address_is_needed_and_takes_no_password(url: str) -> None:
    with pytest.raises(Stop, match="write kafka://HOST:PORT") as caught:
        parse(url, secret)
    assert "hunter2" not in str(caught.value)


def test_addresses_of_both_kinds_are_read() -> None:
    assert parse("kafka://[::1]:9092,a-b.c_d:1", secret).bootstrap == ("[::1]:9092", "a-b.c_d:1")


def test_an_encrypted_key_needs_its_password_and_asks_nobody(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-subj", "/CN=us", "-passout", "pass:open sesame", "-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    url = f"kafka://a:1?security=tls&cert={cert}&key={key}"
    assert parse(f"{url}&key_password=env:KAFKA_PASSWORD", secret).tls
    with pytest.raises(Stop, match="is encrypted: say where its password is"):
        parse(url, secret)
    with pytest.raises(Stop, match=r"and key_password$") as caught:
        parse(f"{url}&key_password=file:/run/secrets/token", secret)
    assert "a.b.c" not in str(caught.value)


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    cert = tmp_path / "cert.pem"
    cert.write_text("rubbish", encoding="utf-8")
    with pytest.raises(Stop, match="give both or none"):
        parse(f"kafka://a:1?security=tls&cert={cert}", secret)
    with pytest.raises(Stop, match="can't be used"):
        parse(f"kafka://a:1?security=tls&cert={cert}&key={cert}", secret)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"kafka", "kafka+librdkafka"} <= set(schemes())
    for name in [name for name in sys.modules if "librdkafka" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(
        Stop, match=r"confluent-kafka.*pip install 'streaming-triage\[librdkafka\]'"
    ):
        open_transport("kafka+librdkafka://a:1", time.time)


def test_every_option_is_in_the_docs() -> None:
    page = (REPOSITORY / "docs" / "kafka.md").read_text(encoding="utf-8")
    for name, text in OPTIONS.items():
        assert f"| `{name}` | {text} |" in page
