"""Containers, where a Docker engine answers."""

from __future__ import annotations

import functools
import os
import socket

import docker
from docker.errors import DockerException

DEFAULT_HOST = "unix:///var/run/docker.sock"


@functools.cache
def engine_answers() -> bool:
    """Tell whether a Docker engine answers. A ``docker`` command alone says nothing."""
    if not _listens(os.environ.get("DOCKER_HOST", DEFAULT_HOST)):
        return False
    try:
        client = docker.from_env(timeout=2)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except DockerException:
        return False


def _listens(host: str) -> bool:
    """Look first: a client that finds nobody leaves its socket open."""
    if not host.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(host.removeprefix("unix://"))
        except OSError:
            return False
    return True
