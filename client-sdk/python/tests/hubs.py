"""Hubs as operators run them, each a process on a free port, and tokens that they accept."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[3]
SECRET = "a secret of the tests, longer than 32 characters"
_PROGRAM = os.environ.get("HUBBUB_PROGRAM", str(ROOT / "server/bin/hubbub.mjs"))
_READY_SECONDS = 30.0
# Rates that no test means to reach.
_PLAIN = {
    "HUBBUB_JWT_SECRET": SECRET, "HUBBUB_LOG_LEVEL": "warn", "HUBBUB_FAMILY_RATES": "*=100000", "HUBBUB_MESSAGE_RATE": "10000",
    "HUBBUB_MESSAGE_BURST": "10000",
}
# What would steer a hub: the developer's own settings.
_OURS = re.compile(r"HUBBUB_|REDIS_URL$|NODE_OPTIONS$|NODE_ENV$")


def token(sub: str = "tester", role: str = "admin", **claims: Any) -> str:
    """An HS256 token: an admin of project `default` for an hour, unless the claims say otherwise."""
    now = int(time.time())
    fields = {"sub": sub, "role": role, "project": "default", "iat": now, "exp": now + 3600, **claims}
    head = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, fields))
    return f"{head}.{_part(hmac.new(SECRET.encode(), head.encode(), hashlib.sha256).digest())}"


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


# Also when the test runner is killed: a shell of one loop holds a pipe from us, and ends what is left on its list when the pipe closes.
_LEASH = """
trap '' INT TERM HUP
live=' '
while read -r sign pid; do
  case $sign in
    +) live="$live$pid " ;;
    -) live="${live%% $pid *} ${live##* $pid }" ;;
  esac
done
for pid in $live; do kill -9 "$pid"; done
"""
_leash: subprocess.Popen[bytes] | None = None


def _on_leash(sign: str, pid: int) -> None:
    global _leash
    if _leash is None:
        _leash = subprocess.Popen(["/bin/sh", "-c", _LEASH], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert _leash.stdin
    _leash.stdin.write(f"{sign} {pid}\n".encode())
    _leash.stdin.flush()


@dataclass
class Hub:
    process: subprocess.Popen[bytes]
    url: str
    port: int
    log: Path

    def kill(self, sign: int = signal.SIGKILL) -> None:
        if self.process.poll() is None:
            self.process.send_signal(sign)
        if sign == signal.SIGKILL:
            self.process.wait()


@dataclass
class Yard:
    """Starts processes, and ends whatever it started."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def hub(self, *, role: str | None = None, redis: str | None = None, port: int = 0, env: dict[str, str] | None = None) -> Hub:
        flags = ["--port", str(port), *(["--role", role] if role else []), *(["--redis", redis] if redis else [])]
        plain = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
        log = self.folder / f"hub-{len(self.processes)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["node", _PROGRAM, "up", *flags], env={**plain, **_PLAIN, **(env or {})},
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )
        self._keep(process)
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            found = re.search(r"https?://[^\s/:]+:(\d+)", log.read_text(errors="replace"))
            if found and _is_ready(found[0]):
                return Hub(process, found[0], int(found[1]), log)
            time.sleep(0.03)
        raise RuntimeError(f"the hub did not start:\n{log.read_text(errors='replace')[-4000:]}")

    def redis(self) -> str:
        port = free_port()
        folder = tempfile.mkdtemp(dir=self.folder)
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"]
        self._keep(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return f"redis://127.0.0.1:{port}"
            except OSError:
                time.sleep(0.03)
        raise RuntimeError("redis-server did not come up")

    def close(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
                process.wait()
            _on_leash("-", process.pid)

    def _keep(self, process: subprocess.Popen[bytes]) -> None:
        self.processes.append(process)
        _on_leash("+", process.pid)


@contextmanager
def open_yard() -> Iterator[Yard]:
    folder = Path(tempfile.mkdtemp(prefix="hubbub-python-"))
    yard = Yard(folder)
    try:
        yield yard
    finally:
        yard.close()
        shutil.rmtree(folder, ignore_errors=True)


def _is_ready(url: str) -> bool:
    port = int(url.rsplit(":", 1)[1])
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as one:
            one.sendall(b"GET /health/ready HTTP/1.0\r\n\r\n")
            return b" 200 " in one.recv(64)
    except OSError:
        return False


async def eventually(condition: Callable[[], object], what: str = "the condition", seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        await asyncio.sleep(0.01)


async def publish_all(url: str, events: list[dict[str, Any]], credential: str) -> None:
    """Past the client under test, by HTTP, in order."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {credential}"}) as session:
        for at in range(0, len(events), 500):
            async with session.post(f"{url}/api/v1/events", json=events[at : at + 500]) as response:
                answer = await response.json()
            refused = [one for one in answer.get("results", [answer]) if not one["ok"]]
            assert not refused, refused[0]
