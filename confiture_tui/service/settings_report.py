"""What the settings are, and where each value came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from confiture_tui.config import DEFAULT, SECTIONS
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.lint.config_file import lint_config_of
from confiture_tui.core.runner.settings import read_hook_policy, read_run_policy
from confiture_tui.database.dsn import Dsn, resolve_dsn
from confiture_tui.secret import Secret
from confiture_tui.service.documents import Document
from confiture_tui.user_files import user_config_file, user_keys_file
from confiture_tui.yaml_file import YamlFile

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.config import Settings

_SHOWN = (
    *("migrations_dir", "runner", "read_only", "production", "pg_bin"),
    *("shadow_dsn", "clone_dsn", "rows", "shadow_cache"),
    *("log_file", "log_level", "format", "theme", "ascii"),
)


class ShownSetting(FrozenModel):
    """One setting.

    Attributes:
        name: as a settings file names it; with a dot within a section.
        value: what holds; ``None`` for nothing. Never a password.
        origin: an option, a variable, a file with its line, or ``default``.
    """

    name: str
    value: bool | int | float | str | None
    origin: str


class SettingsDocument(Document):
    """What ``config show`` prints."""

    settings: tuple[ShownSetting, ...]


def settings_document(shown: tuple[ShownSetting, ...], *, runner: str) -> SettingsDocument:
    """The document of ``config show``; it asks no server, so there is no target."""
    return SettingsDocument(target=None, runner=runner, settings=shown)


def shown_settings(settings: Settings) -> tuple[ShownSetting, ...]:
    """Every setting with its value and where that came from.

    Raises:
        UsageError: a section of the project's settings, or the connection string, cannot be used.
    """
    return (*_of_files(settings), *_of_connection(settings), *_plain(settings), *_of_sections(settings.config_file))


def _of_files(settings: Settings) -> Iterator[ShownSetting]:
    origins = settings.origins
    here = origins.get("project_dir", "the current directory")
    yield ShownSetting(name="project", value=str(settings.project_dir), origin=here)
    for name, path, expected in (
        ("config", settings.config_file, settings.project_dir / "confiture.yaml"),
        ("user", settings.user_file, user_config_file(os.environ)),
        ("keys", _existing(user_keys_file(os.environ)), user_keys_file(os.environ)),
    ):
        origin = origins.get("config_file", "found") if name == "config" else "found"
        yield ShownSetting(
            name=name,
            value=str(path) if path is not None else None,
            origin=origin if path is not None else f"there is no {expected}",
        )


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _of_connection(settings: Settings) -> Iterator[ShownSetting]:
    yield ShownSetting(name="env", value=settings.env, origin=settings.origins.get("env", DEFAULT))
    dsn = resolve_dsn(
        dsn=settings.dsn.get_secret_value() if settings.dsn else None,
        environ=os.environ,
        environment_file_url=settings.database_url.get_secret_value() if settings.database_url else None,
        environment_file=settings.environment_file,
    )
    if dsn is None:
        yield ShownSetting(name="database", value=None, origin="nobody names one")
        return
    from_file = settings.environment_file is not None and dsn.source == str(settings.environment_file)
    origin = settings.origins["database_url"] if from_file else dsn.source
    yield ShownSetting(name="database", value=dsn.display(), origin=origin)


def _plain(settings: Settings) -> Iterator[ShownSetting]:
    for name in _SHOWN:
        value = getattr(settings, name)
        if name == "log_level":
            value = value.word
        elif isinstance(value, Secret):
            value = Dsn.of(value.get_secret_value(), source=name).display()
        elif value is not None and not isinstance(value, bool):
            value = str(value)
        yield ShownSetting(name=name, value=value, origin=settings.origins.get(name, DEFAULT))


def _of_sections(path: Path | None) -> Iterator[ShownSetting]:
    file = YamlFile.read(path) if path is not None else None
    hooks, policy = read_hook_policy(path), read_run_policy(path)
    lint_config_of(file)
    in_force: dict[str, dict[str, Any]] = {
        # As the file writes that it is never given way.
        "running": policy.model_dump(mode="json") | ({} if policy.give_way is not None else {"give_way": False}),
        "hooks": {"allow": list(hooks.allow) if hooks.allow is not None else "all", "deny": list(hooks.deny)},
        "linting": {},
    }
    for section in sorted(SECTIONS):
        given = file.values.get(section) if file is not None else None
        values = in_force[section] or (given if isinstance(given, Mapping) else {})
        for key, value in values.items():
            written = isinstance(given, Mapping) and key in given
            origin = file.where_at(section, str(key)) if file is not None and written else DEFAULT
            yield ShownSetting(name=f"{section}.{key}", value=_short(value), origin=origin)


def _short(value: Any) -> bool | int | float | str | None:
    """A value on one line; of what holds others only which there are."""
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{key}: {one}" if not isinstance(one, Mapping | list) else str(key) for key, one in value.items()
        )
        return inner or "none"
    if isinstance(value, list):
        return ", ".join(str(_short(one)) for one in value) or "none"
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
