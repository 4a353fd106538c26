"""The files of one user, whatever the project: where they are, and where each operating system wants them to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "confiture-tui"


def user_directory(environ: Mapping[str, str]) -> Path:
    """``$XDG_CONFIG_HOME/confiture-tui`` where that is set to an absolute path, else where the system wants it."""
    given = Path(environ.get("XDG_CONFIG_HOME", ""))
    if given.is_absolute():
        return given / _NAME
    import platformdirs

    return Path(platformdirs.user_config_dir(_NAME, appauthor=False))


def user_config_file(environ: Mapping[str, str]) -> Path:
    """The user's settings."""
    return user_directory(environ) / "config.yaml"


def user_keys_file(environ: Mapping[str, str]) -> Path:
    """The user's keys."""
    return user_directory(environ) / "keys.yaml"
