"""The desktop's own program for the clipboard, beside what the terminal is asked for (OSC 52).

Over SSH, in tmux or in an old terminal the one may work where the other does not: both are tried.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

_LIMIT_S: Final = 2.0


def helper(
    environ: Mapping[str, str], *, platform: str = sys.platform, which: Callable[[str], str | None] = shutil.which
) -> list[str] | None:
    """The command line of the program that takes a text on its standard input; ``None`` where there is none.

    On Linux it depends on the display that the session has: ``wl-copy`` on Wayland, ``xclip`` or ``xsel`` on X11.
    """
    candidates: list[list[str]] = []
    if platform == "darwin":
        candidates.append(["pbcopy"])
    elif platform == "win32":
        candidates.append(["clip"])
    else:
        if environ.get("WAYLAND_DISPLAY"):
            candidates.append(["wl-copy"])
        if environ.get("DISPLAY"):
            candidates += [["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
        if environ.get("WSL_DISTRO_NAME"):
            candidates.append(["clip.exe"])
    return next((one for one in candidates if which(one[0])), None)


def give_to(command: list[str], text: str) -> str:
    """Give a text to that program; returns what went wrong, in words, or nothing."""
    try:
        # Some of them stay behind, holding the text: they must not hold our terminal too.
        done = subprocess.run(
            command,
            input=text.encode("utf-16-le" if command[0].startswith("clip") else "utf-8"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not take it within {_LIMIT_S:.0f} s"
    except OSError as error:
        return f"{command[0]} could not be started: {error.strerror}"
    return f"{command[0]} ended with {done.returncode}" if done.returncode else ""
