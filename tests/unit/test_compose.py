"""The compose file, as far as it can be checked where no engine is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import pytest
import yaml

from cli.main import main
from tests.support.data import REPOSITORY
from tests.support.java_kafka import kafka_version

COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service.get("build")]


def test_one_container_by_default_and_a_profile_with_kafka_and_postgres() -> None:
    assert (REPOSITORY / ".env").read_text(encoding="utf-8") == "COMPOSE_PROFILES=embedded\n"
    embedded = [name for name, service in SERVICES.items() if service["profiles"] == ["embedded"]]
    kafka = {name for name, service in SERVICES.items() if service["profiles"] == ["kafka"]}
    assert embedded == ["triage"]
    assert kafka == SERVICES.keys() - {"triage"}
    assert {"kafka", "postgres", "topics", "grouper", "relay", "board"} < kafka


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert "privileged" not in service
    assert "user" not in service  # the image's own, which is not root
    assert "USER triage" in (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in OURS if name != "triage"])
def test_the_commands_are_ones_that_we_know(name: str) -> None:
    """Options and their values are read as the command would; nothing is run."""
    arguments = [str(word).replace("/app/", f"{REPOSITORY}/") for word in SERVICES[name]["command"]]
    context = click.Context(main)
    while arguments:
        group = context.command
        if not isinstance(group, click.Group):
            break
        found, command, arguments = group.resolve_command(context, arguments)
        assert command is not None, found
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context)
        else:
            context = command.make_context(found, list(arguments), parent=context)
    assert not isinstance(context.command, click.Group)


def test_ports_are_of_this_machine_only_and_passwords_of_nobody() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or variable.endswith("_FILE"), (variable, value)
    assert COMPOSE["secrets"]["postgres_password"] == {"file": "./secrets/postgres_password"}
    assert "/secrets/" in (REPOSITORY / ".gitignore").read_text(encoding="utf-8")


def test_whoever_is_waited_for_is_there_and_can_be_asked() -> None:
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            awaited = SERVICES[name]
            if how["condition"] == "service_healthy":
                assert awaited["healthcheck"]["test"]
            else:
                assert awaited["restart"] == "no"


def test_the_broker_is_the_one_that_is_tested() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka_version()}"
    assert all(":" in service["image"] for service in SERVICES.values())
    assert not any("latest" in service["image"] for service in SERVICES.values())
