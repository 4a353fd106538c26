"""Asking the operator something on the terminal."""

from __future__ import annotations

import asyncio
import sys
import threading

from confiture_tui.terminal import safe_text


def can_ask() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


async def ask(question: str) -> str:
    """The line that is typed in answer, without white space around it; Ctrl-C does not wait for it."""
    sys.stderr.write(safe_text(question))
    sys.stderr.flush()
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        text = sys.stdin.readline()
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: None if line.done() else line.set_result(text))

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return (await line).strip()
