"""A real Ray cluster of several nodes on this machine, on the loopback address."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.waiting import wait_for

RAY = Path(sys.executable).with_name("ray")
ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_USAGE_STATS_ENABLED": "0",
    # A node is taken for lost after a few seconds, where a real cluster waits for half a minute.
    "RAY_health_check_initial_delay_ms": "2000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "4000",
    "RAY_health_check_failure_threshold": "3",
}
"""Of the nodes, and of who connects to them; Ray reads it when it is imported."""
os.environ.update(ENVIRONMENT)


class Node:
    """One node: all of its processes are a group, which dies together."""

    def __init__(self, arguments: list[str]) -> None:
        command = [str(RAY), "start", "--block", "--node-ip-address=127.0.0.1", "--disable-usage-stats"]
        command += ["--num-cpus=2", "--num-gpus=1", "--object-store-memory=80000000", *arguments]
        environment = dict(os.environ)
        # tasks must find the tests' own modules however the tests are started
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """As when the machine loses its power: everything of it is gone at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Cluster:
    """A head, and one more node."""

    def __init__(self, folder: Path) -> None:
        port = _free_port()
        self.address = f"127.0.0.1:{port}"
        head = [f"--port={port}", "--head", "--include-dashboard=false", f"--temp-dir={folder}"]
        self.head = Node([*head, f"--ray-client-server-port={_free_port()}"])
        wait_for(lambda: _answers(port), while_running=lambda: self.head.running)
        self.second = self.add()

    def add(self) -> Node:
        """Start another node."""
        return Node([f"--address={self.address}"])


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Started, and killed afterwards. This process can connect to it at its address."""
    with pytest.MonkeyPatch.context() as patch:
        # Else Ray takes 127.0.0.1 for this machine's other address, at which no node of ours listens.
        patch.setattr("ray._private.ray_constants.ENABLE_RAY_CLUSTER", False)
        yield from _running()


def _running() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="r"))  # sockets have short paths
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.second.kill()
        made.head.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
