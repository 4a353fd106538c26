"""The settings of one run: one frozen record, and where each of its values may come from.

From strongest to weakest: the command line, environment variables (``CONFITURE_…``), ``db/environments/{env}.yaml``,
``confiture.yaml``, the user's own ``config.yaml``, the defaults. The connection itself is chosen by
``confiture_tui.database.dsn``, which has sources of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.errors import UsageError
from confiture_tui.events import Level
from confiture_tui.secret import Secret
from confiture_tui.user_files import user_config_file
from confiture_tui.yaml_file import YamlFile, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

DEFAULT_ENV = "local"
DEFAULT_RUNNER = "confiture"
CONFIG_FILE = "confiture.yaml"
ENVIRONMENTS = Path("db/environments")
MIGRATIONS = Path("db/migrations")

SECTIONS = ("hooks", "linting", "running")
"""Parts of ``confiture.yaml`` that are read by those whom they concern."""
DEFAULT = "default"
"""The origin of a value that nobody gave."""

_ENV_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_PRODUCTION = frozenset({"prod", "production", "live"})
DSN_VARIABLES = ("CONFITURE_DATABASE_URL", "DATABASE_URL")
"""The environment variables that hold a connection string."""


ROWS = ("none", "synthetic", "full")
"""What data the shadow of a dry run may hold."""


class OutputFormat(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    """SARIF 2.1, for code scanning."""
    GITHUB = "github"
    """Annotations of a GitHub workflow."""
    MARKDOWN = "markdown"
    HTML = "html"
    """One file that needs nothing else."""


# Not a model: the app's first frame needs the settings, and would wait for all of pydantic.
@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run was asked to be. ``repr`` shows no password.

    Attributes:
        project_dir: absolute path of the directory that the project's files are looked for in.
        env: the name of the environment, ``local`` by default.
        dsn: the connection given by ``--dsn``, if one was.
        database_url: ``database_url`` of the environment's file, its variables filled in; ``None`` when there is none
            or when a stronger source makes it irrelevant.
        environment_file: ``db/environments/{env}.yaml``, when it exists.
        config_file: the ``confiture.yaml`` that was read, when there is one.
        read_only: nothing may change the target.
        log_file: where events are written as JSON Lines.
        record: where the session is recorded, to be replayed; asked for on the command line only.
        log_level: the least level of the events that are written to the log file and, when it was asked for, the
            console.
        format: how results are printed.
        runner: the name of the runner profile: how migrations will be run in the end.
        layout: the name of the tool whose migrations they are; ``None``: their directory tells.
        pg_bin: a directory with PostgreSQL's programs to use for the embedded server and the shadow.
        migrations_dir: absolute path of the directory of the migrations.
        file: one SQL file to be looked at, with its directory where that is of migrations; ``None``: the project's.
        production: the environment's file says ``production: true``.
        shadow_dsn: a server on which shadows are made, in place of the embedded one.
        clone_dsn: a copy of the target, rows included: dry runs are made on copies of it.
        rows: what data a shadow holds: ``none`` or ``synthetic``; with ``clone_dsn`` it holds all.
        shadow_cache: whether shadows are kept from one run of the program to the next.
        theme: the name of the app's colours; ``None`` for its own.
        ascii: whether the app draws with ASCII only; ``None``: as the terminal is.
        user_file: the user's own settings, when they exist.
        origins: where each value that somebody gave came from, as messages name it.
    """

    project_dir: Path
    env: str = DEFAULT_ENV
    dsn: Secret | None = None
    database_url: Secret | None = None
    environment_file: Path | None = None
    config_file: Path | None = None
    read_only: bool = False
    log_file: Path | None = None
    record: Path | None = None
    log_level: Level = Level.INFO
    format: OutputFormat = OutputFormat.TEXT
    runner: str = DEFAULT_RUNNER
    layout: str | None = None
    pg_bin: Path | None = None
    migrations_dir: Path
    file: Path | None = None
    production: bool = False
    shadow_dsn: Secret | None = None
    clone_dsn: Secret | None = None
    rows: str = ROWS[0]
    shadow_cache: bool = True
    theme: str | None = None
    ascii: bool | None = None
    user_file: Path | None = None
    origins: dict[str, str] = field(default_factory=dict, repr=False)

    def is_given(self, name: str) -> bool:
        """Whether somebody gave a value for this one, even if it is what holds by default."""
        default = next(one.default for one in fields(self) if one.name == name)
        return name in self.origins or getattr(self, name) != default

    @property
    def is_production(self) -> bool:
        """Whether this is production: by the environment's name (prod, production, live) or by its file."""
        return self.production or self.env.lower() in _PRODUCTION

    @classmethod
    def load(
        cls,
        *,
        project: Path | None = None,
        env: str | None = None,
        dsn: str | None = None,
        config: Path | None = None,
        migrations_dir: Path | None = None,
        read_only: bool | None = None,
        log_file: Path | None = None,
        record: Path | None = None,
        log_level: str | None = None,
        format: str | None = None,
        runner: str | None = None,
        layout: str | None = None,
        pg_bin: Path | None = None,
        shadow_dsn: str | None = None,
        clone_dsn: str | None = None,
        rows: str | None = None,
        shadow_cache: bool | None = None,
        environ: Mapping[str, str] | None = None,
        needs_database: bool = True,
    ) -> Settings:
        """The settings from all their sources; every argument is what the command line gave, ``None`` if nothing.

        Args:
            environ: the environment variables; ``os.environ`` when left out.
            needs_database: false when no connection will be made: then a variable that the connection would need may
                be missing.

        Raises:
            UsageError: a file, a variable or an option cannot be used; the message names it, with its line.
        """
        if environ is None:
            import os

            environ = os.environ
        given = {
            "env": env,
            "migrations_dir": migrations_dir,
            "read_only": read_only,
            "log_file": log_file,
            "log_level": log_level,
            "format": format,
            "runner": runner,
            "layout": layout,
            "pg_bin": pg_bin,
            "shadow_dsn": shadow_dsn,
            "clone_dsn": clone_dsn,
            "rows": rows,
            "shadow_cache": shadow_cache,
        }
        directory = _project_directory(project, environ)
        user = _user_file(environ)
        file = _config_file(directory, config, environ)
        name, asked = _environment(given, environ, file)
        environment = directory / ENVIRONMENTS / f"{name}.yaml"
        dsn_given = dsn is not None or any(environ.get(variable) for variable in DSN_VARIABLES)
        if environment.exists():
            environment_file: YamlFile | None = YamlFile.read(environment)
        elif asked and (environment.parent.is_dir() or not dsn_given) and needs_database:
            raise _no_such_environment(name, environment)
        else:
            environment_file = None

        values: dict[str, Any] = {
            "project_dir": directory,
            "migrations_dir": directory / MIGRATIONS,
            "config_file": file.path if file else None,
            "environment_file": environment_file.path if environment_file else None,
            "user_file": user.path if user else None,
        }
        origins = {}
        if project is not None or environ.get("CONFITURE_PROJECT"):
            origins["project_dir"] = "--project" if project is not None else "CONFITURE_PROJECT"
        if config is not None or environ.get("CONFITURE_CONFIG"):
            origins["config_file"] = "--config" if config is not None else "CONFITURE_CONFIG"
        sources = [(environment_file, directory), (file, directory), (user, user.path.parent if user else directory)]
        for key in _CONVERTERS:
            strongest = next(_sources(key, given.get(key), environ, sources), None)
            if strongest is not None:
                values[key] = _CONVERTERS[key](*strongest)
                origins[key] = strongest[1]
        values["env"] = name
        if record is not None:
            values["record"] = record.expanduser().absolute()
        if asked:
            origins["env"] = asked
        if dsn is not None:
            values["dsn"] = Secret(dsn)
            origins["dsn"] = "--dsn"
        if environment_file is not None:
            production = environment_file.text("production", environ)
            if production is not None:
                values["production"] = _boolean(production, environment_file.where("production"), directory)
                origins["production"] = environment_file.where("production")
            if needs_database and not dsn_given:
                url = _database_url(environment_file, environ)
                values["database_url"] = Secret(url) if url is not None else None
                if url is not None:
                    origins["database_url"] = environment_file.where("database_url")
        _check_rows(values)
        return cls(**values, origins=origins)


def _check_rows(values: Mapping[str, Any]) -> None:
    rows, clone = values.get("rows"), values.get("clone_dsn")
    if clone is not None and values.get("shadow_dsn") is not None:
        raise UsageError(
            "Both a shadow's server and a clone are named: a dry run is made on one of them.",
            hint="Leave --shadow-dsn or --clone-dsn out.",
        )
    if rows == "full" and clone is None:
        raise UsageError(
            "A shadow with all rows needs a copy of the database that has them.",
            hint="Name one with --clone-dsn: dry runs are made on copies of it.",
        )
    if clone is not None and rows not in (None, "full"):
        raise UsageError(
            f"Rows are to be '{rows}', and the clone has its own.", hint="Leave --rows or --clone-dsn out."
        )


def _project_directory(project: Path | None, environ: Mapping[str, str]) -> Path:
    text = project if project is not None else environ.get("CONFITURE_PROJECT") or "."
    directory = Path(text).expanduser().absolute()
    if not directory.is_dir():
        raise UsageError(f"There is no directory {directory}.", hint="Give the project's directory with --project.")
    return directory


def _config_file(directory: Path, config: Path | None, environ: Mapping[str, str]) -> YamlFile | None:
    text = config if config is not None else environ.get("CONFITURE_CONFIG")
    path = Path(text).expanduser().absolute() if text else directory / CONFIG_FILE
    if not text and not path.exists():
        return None
    file = YamlFile.read(path)
    file.refuse_unknown_keys(("env", *_CONVERTERS, *SECTIONS))
    return file


def _user_file(environ: Mapping[str, str]) -> YamlFile | None:
    """The user's own settings: what may differ from person to person, and nothing of the project."""
    path = user_config_file(environ)
    if not path.is_file():
        return None
    file = YamlFile.read(path)
    for key in file.values:
        if key not in USER_KEYS and key in ("env", *_CONVERTERS, *SECTIONS):
            raise UsageError(
                f"{file.where(key)}: '{key}' is a setting of a project.", hint=f"Write it into its {CONFIG_FILE}."
            )
    file.refuse_unknown_keys(USER_KEYS)
    return file


def _environment(given: Mapping[str, Any], environ: Mapping[str, str], file: YamlFile | None) -> tuple[str, str]:
    """The environment's name, and who asked for it; nobody: an empty origin."""
    strongest = next(_sources("env", given["env"], environ, [(file, Path())]), None)
    if strongest is None:
        return DEFAULT_ENV, ""
    text, origin, _base = strongest
    if not _ENV_NAME.match(text):
        raise UsageError(
            f"{origin}: '{text}' cannot be the name of an environment.",
            hint="Use letters, digits, '-', '_' and '.', as in db/environments/NAME.yaml.",
        )
    return text, origin


def _no_such_environment(name: str, expected: Path) -> UsageError:
    known = sorted(path.stem for path in expected.parent.glob("*.yaml")) if expected.parent.is_dir() else []
    hint = did_you_mean(name, known, "Environments here") if known else "Write that file, or give a connection: --dsn."
    return UsageError(f"There is no environment '{name}': {expected} does not exist.", hint=hint)


def _sources(
    key: str,
    given: Any,
    environ: Mapping[str, str],
    files: Iterable[tuple[YamlFile | None, Path]],
) -> Iterator[tuple[str, str, Path]]:
    """The texts given for a setting, strongest first, each with its origin and what a path in it is relative to.

    Args:
        files: the strongest first, each with what its paths are relative to.
    """
    if given is not None:
        yield str(given), f"--{key.replace('_', '-')}", Path.cwd()
    variable = f"CONFITURE_{key.upper()}"
    if environ.get(variable):
        yield environ[variable], variable, Path.cwd()
    for source, base in files:
        if source is not None:
            text = source.text(key, environ)
            if text is not None:
                yield text, source.where(key), base


def _database_url(file: YamlFile, environ: Mapping[str, str]) -> str | None:
    url = file.text("database_url", environ)
    if url is None and "database" in file.values:
        raise UsageError(
            f"{file.where('database')}: there is a 'database' but no 'database_url'.",
            hint="Add `database_url: postgresql://user@host:5432/name`.",
        )
    return url


def _boolean(text: str, origin: str, _base: Path) -> bool:
    match text.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off" | "":
            return False
    raise UsageError(f"{origin}: '{text}' is neither yes nor no.", hint="Use true or false.")


def _path(text: str, _origin: str, base: Path) -> Path:
    return (base / Path(text).expanduser()).absolute()


def _text(text: str, _origin: str, _base: Path) -> str:
    return text


def _log_level(text: str, origin: str, _base: Path) -> Level:
    try:
        return Level[text.strip().upper()]
    except KeyError:
        words = [level.word for level in Level]
        raise UsageError(f"{origin}: '{text}' is not a log level.", hint=f"Levels: {', '.join(words)}.") from None


def _output_format(text: str, origin: str, _base: Path) -> OutputFormat:
    try:
        return OutputFormat(text.strip().lower())
    except ValueError:
        names = ", ".join(OutputFormat)
        raise UsageError(f"{origin}: '{text}' is not a format.", hint=f"Formats: {names}.") from None


def _secret(text: str, _origin: str, _base: Path) -> Secret:
    return Secret(text)


def _rows(text: str, origin: str, _base: Path) -> str:
    if text not in ROWS:
        raise UsageError(f"{origin}: rows cannot be '{text}'.", hint=f"They can be: {', '.join(ROWS)}.")
    return text


_CONVERTERS: dict[str, Callable[[str, str, Path], Any]] = {
    "read_only": _boolean,
    "log_file": _path,
    "log_level": _log_level,
    "format": _output_format,
    "runner": _text,
    "layout": _text,
    "pg_bin": _path,
    "migrations_dir": _path,
    "shadow_dsn": _secret,
    "clone_dsn": _secret,
    "rows": _rows,
    "shadow_cache": _boolean,
    "theme": _text,
    "ascii": _boolean,
}

USER_KEYS = ("theme", "ascii", "read_only", "log_file", "log_level", "format", "pg_bin")
"""What the user's own settings may say."""
