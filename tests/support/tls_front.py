"""A TLS front for a server that has none: what a client meets where a server insists on TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent.parent / "data" / "tls"
"""A self-signed certificate of ``localhost`` and its key, made for these tests and good for nothing else."""

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Front:
    """A front that listens.

    Attributes:
        port: of the loopback interface.
        greeted: released once for each client that has agreed on TLS: its session tickets are on their way then.
    """

    port: int
    greeted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@contextlib.contextmanager
def tls_front(target: Path, *, binds_channels: bool = False) -> Iterator[Front]:
    """Serve TLS on a free port of the loopback interface, in front of a server's Unix socket.

    A client that does not ask for TLS is hung up on.

    Args:
        target: the server's socket.
        binds_channels: offer SCRAM with channel binding first, as a server with TLS does.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "localhost.crt", DATA / "localhost.key")
    loop = asyncio.new_event_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # It is cancelled when the front ends, and nobody needs to be told.
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            if await reader.readexactly(8) == _SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                front.greeted.release()
                back, forth = await asyncio.open_unix_connection(target)
                answers = asyncio.create_task(copy(back, writer, with_offer=binds_channels))
                tasks.add(answers)
                answers.add_done_callback(tasks.discard)
                await copy(reader, forth)
                await answers
        writer.close()
        tasks.discard(task)

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    front = Front(server.sockets[0].getsockname()[1])
    thread = threading.Thread(target=loop.run_forever, name="tls-front", daemon=True)
    thread.start()

    async def end() -> None:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield front
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, *, with_offer: bool = False) -> None:
    """Pass bytes on until the source ends, then end the target."""
    with contextlib.suppress(OSError, EOFError):
        if with_offer:
            target.write(await _offer(source))
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()
    target.close()


async def _offer(server: asyncio.StreamReader) -> bytes:
    """The server's AuthenticationSASL message, with channel binding in the first place."""
    kind, length = struct.unpack("!ci", await server.readexactly(5))
    body = await server.readexactly(length - 4)
    assert (kind, body[:4]) == (b"R", struct.pack("!i", 10)), "the server does not ask for SCRAM"
    body = body[:4] + b"SCRAM-SHA-256-PLUS\0" + body[4:]
    return bytes(struct.pack("!ci", kind, len(body) + 4)) + body
