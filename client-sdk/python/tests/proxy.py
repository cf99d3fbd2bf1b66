"""A TCP proxy with faults: what a network does to a connection, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    def __init__(self, port: int) -> None:
        """`port`: of the target on this machine; later connections go to another one if it is changed."""
        self.target = port
        self.port = 0
        #: New connections are reset as soon as they come.
        self.is_refusing = False
        #: New connections are accepted and lead nowhere.
        self.is_dark = False
        #: Requests that ask for a WebSocket are answered with 403, as by a network that lets none pass.
        self.bars_websockets = False
        #: Requests for Socket.IO are answered with 403, whatever the transport.
        self.bars_socketio = False
        #: Requests that were let through, and barred ones.
        self.passed: list[str] = []
        self.barred: list[str] = []
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Resets all connections now."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.is_refusing:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                part = await reader.read(65_536)
                if not part:
                    return
                head += part
            line = head.split(b"\r\n", 1)[0].decode()
            if self.is_dark:
                await reader.read()
            elif self._is_barred(line, head):
                self.barred.append(line)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
            else:
                self.passed.append(line)
                await self._join(head, reader, writer)
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort() if self.is_refusing else writer.close()

    def _is_barred(self, line: str, head: bytes) -> bool:
        is_socketio = "/socket.io/" in line
        return is_socketio and (self.bars_socketio or (self.bars_websockets and b"upgrade: websocket" in head.lower()))

    async def _join(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers.add(far_writer)
        try:
            far_writer.write(_as_only_request(head))
            ways = [asyncio.ensure_future(_pump(reader, far_writer)), asyncio.ensure_future(_pump(far_reader, writer))]
            _, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in pending:
                way.cancel()
        finally:
            self._writers.discard(far_writer)
            far_writer.close()


def _as_only_request(head: bytes) -> bytes:
    """Later requests on the connection would not be looked at, and might be barred: each one gets a connection of its own."""
    lines, rest = head.split(b"\r\n\r\n", 1)
    if b"upgrade:" in lines.lower():
        return head
    kept = [line for line in lines.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n" + rest


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    except OSError:
        pass


@asynccontextmanager
async def open_proxy(port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
