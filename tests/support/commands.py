"""Runs commands, each in a process of its own, without each of them importing everything again.

A process that has imported the command line already (``python -m tests.support.commands``) is forked for each command:
what a command then does, with its arguments, directory, environment and streams, it does as it would when started from
a shell, but a second sooner. What is about the start itself (streams that are closed, what is imported) starts the
program for real.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_NOT_PRELOADED = ("confiture_tui.__main__", "confiture_tui.ui")
"""The app: what it is built on reads the environment when it is imported."""
_LONGEST_REQUEST = 1 << 17
_DESCRIPTORS = 4


def run_command(
    arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdin: str = "", timeout: float = 110
) -> subprocess.CompletedProcess[str]:
    """What ``confiture-tui`` with these arguments prints, and its exit code.

    Raises:
        subprocess.TimeoutExpired: it had not ended after so many seconds, and was killed.
    """
    request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "environment": dict(environment)}).encode()
    assert len(request) < _LONGEST_REQUEST
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                files = [given.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
                socket.send_fds(_server(), [request], files)
            ours.settimeout(timeout)
            pid = int.from_bytes(ours.recv(8, socket.MSG_WAITALL), "little")
            try:
                code = int.from_bytes(ours.recv(8, socket.MSG_WAITALL), "little", signed=True)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(arguments), timeout, _text(out), _text(err)) from None
        return subprocess.CompletedProcess(list(arguments), code, _text(out), _text(err))


def _text(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode()
    return text.replace("\r\n", "\n")


_started: list[socket.socket] = []


def _server() -> socket.socket:
    """Where to send requests: to the process that forks, which is started for the first of them."""
    if not _started:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.commands"], stdin=theirs.fileno(), cwd=ROOT
            )
        _started.append(ours)
        atexit.register(_end, ours, process)
    return _started[0]


def _end(requests: socket.socket, process: subprocess.Popen[bytes]) -> None:
    requests.close()
    process.wait(10)


def serve() -> int:
    """Fork a process for each request on standard input; returns in those that are to be a command, with its exit code.

    Each command has a parent of its own, which waits for it and tells its end.
    """
    import confiture_tui

    for module in pkgutil.walk_packages(confiture_tui.__path__, "confiture_tui."):
        if not module.name.startswith(_NOT_PRELOADED):
            importlib.import_module(module.name)
    gc.freeze()
    # Nobody waits for the parents.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    requests = socket.socket(fileno=0)
    while True:
        text, files, _, _ = socket.recv_fds(requests, _LONGEST_REQUEST, _DESCRIPTORS)
        if not text:
            os._exit(0)
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    requests.detach()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, reply = files
    command = os.fork()
    if command:
        _tell_the_end(command, reply)
    os.close(reply)
    return _be(json.loads(text), streams)


def _tell_the_end(command: int, reply: int) -> None:
    os.write(reply, command.to_bytes(8, "little"))
    _, status = os.waitpid(command, 0)
    with suppress(BrokenPipeError):
        os.write(reply, os.waitstatus_to_exitcode(status).to_bytes(8, "little", signed=True))
    os._exit(0)


def _be(request: dict[str, Any], streams: Sequence[int]) -> int:
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    encoding = sys.stdout.encoding
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding)
    written = io.BufferedWriter(io.FileIO(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(written, encoding, "backslashreplace", line_buffering=True)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.path[0] = request["cwd"]
    sys.argv = ["confiture-tui", *request["arguments"]]
    from confiture_tui.__main__ import main

    return main()


if __name__ == "__main__":
    sys.exit(serve())
