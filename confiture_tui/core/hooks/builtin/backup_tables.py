"""``backup_tables``: what a migration destroys is on disk, and readable, before it begins."""

from __future__ import annotations

import os
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.core.hooks.builtin.destroyed_tables import Bearer, NotToldError, destroyed_tables, with_children
from confiture_tui.core.hooks.builtin.relations import find
from confiture_tui.core.hooks.hook import Hook, HookOptions
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.database.client_programs import LOCK_WAIT, run_against, run_program
from confiture_tui.database.embedded.binaries import Binaries, find_binaries

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.migrations.model import Migration

_MEGABYTE = 1_000_000


class BackupTablesOptions(HookOptions):
    """What to keep, and where.

    Attributes:
        directory: where the dump goes; a relative path is meant from the migration's directory. It is made where it is
            absent.
        tables: the tables to dump; when left out, those whose rows or columns the migration destroys.
        pg_bin: a directory with ``pg_dump`` and ``pg_restore`` of the target's major or a newer one; the embedded
            server's own when left out.
    """

    directory: Path = Path("../backups")
    tables: tuple[str, ...] | None = None
    pg_bin: Path | None = None


class BackupTables(Hook):
    """Dumps the tables that lose data with ``pg_dump``, and reads the dump's contents back before it lets go on.

    The file holds the rows as they are when the hook runs: what is written between then and the migration is not in it.
    No other user can read it. A migration that destroys nothing makes none.
    """

    name = "backup_tables"
    phase = HookPhase.BEFORE_VALIDATION
    Options = BackupTablesOptions
    idempotent = True
    outside_effects = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Dump, look at the dump, and say how it is read back."""
        migration = context.migration
        if migration is None:
            raise ValueError("there is no migration whose tables could be dumped")
        conn.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", (LOCK_WAIT,))
        bearers = with_children(conn, self._tables(conn, migration, context))
        if not bearers:
            return HookResult(statistics={"tables": []}, message="it destroys nothing, so nothing was dumped")
        programs = find_binaries(self.options.pg_bin)
        file = self._new_file(migration, sum(one.size for one in bearers))
        try:
            self._dump(conn, programs, file, bearers, context)
            self._read_back(programs, file, bearers, context)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        size = file.stat().st_size
        names = [one.label for one in bearers]
        return HookResult(
            statistics={"tables": names, "bytes": size, "file": str(file)},
            message=f"{', '.join(names)}: {size / _MEGABYTE:.1f} MB in {file}; "
            f"to have them back, in a database without them: pg_restore --dbname=NAME {shlex.quote(str(file))}",
        )

    def _tables(self, conn: psycopg.Connection[Any], migration: Migration, context: HookContext) -> tuple[str, ...]:
        given: tuple[str, ...] | None = self.options.tables
        if given is not None:
            return tuple(find(conn, name, kinds="rpm", what="table").identifier.as_string(conn) for name in given)
        try:
            return destroyed_tables(conn, migration, context.direction)
        except NotToldError as error:
            raise ValueError(f"{error}: name the tables in the option tables") from None

    def _new_file(self, migration: Migration, size: int) -> Path:
        """A file of its own in the directory, which has room for as much as the tables take now."""
        base = migration.path.parent if migration.path is not None else Path.cwd()
        directory: Path = (base / self.options.directory).resolve()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            free = shutil.disk_usage(directory).free
        except OSError as error:
            raise ValueError(f"the directory {directory} cannot be used: {error.strerror}") from None
        if free < size:
            raise RuntimeError(
                f"{directory} has {free / _MEGABYTE:,.1f} MB free, and the tables take {size / _MEGABYTE:,.1f} MB"
            )
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        return directory / f"{migration.label or 'migration'}-{moment}.dump"

    def _dump(
        self,
        conn: psycopg.Connection[Any],
        programs: Binaries,
        file: Path,
        bearers: tuple[Bearer, ...],
        context: HookContext,
    ) -> None:
        arguments = ["--format=custom", "--encoding=UTF8", f"--lock-wait-timeout={LOCK_WAIT}"]
        arguments += [f"--table={one.label}" for one in bearers]
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                ran = run_against(conn, _client(programs, "pg_dump"), arguments, out=out, cancelled=context.cancelled)
                os.fsync(out.fileno())
        except OSError as error:
            raise RuntimeError(f"the dump could not be written to {file}: {error.strerror}") from None
        context.check_cancelled()
        if not ran.ok:
            raise RuntimeError(f"pg_dump failed: {ran.said}")

    def _read_back(self, programs: Binaries, file: Path, bearers: tuple[Bearer, ...], context: HookContext) -> None:
        """Have ``pg_restore`` list what the file holds, look for every table in it, and read it to its end."""
        listed = _pg_restore(programs, "--list", file, context)
        for one in bearers:
            kind = {"r": "TABLE DATA", "p": "TABLE", "m": "MATERIALIZED VIEW"}[one.kind]
            # pg_restore writes names as they are, but for line breaks.
            if f" {kind} {one.schema} {one.name} ".replace("\n", " ") not in listed:
                raise RuntimeError(f"the dump {file} does not hold {one.label}")
        _pg_restore(programs, f"--file={os.devnull}", file, context)


def _pg_restore(programs: Binaries, argument: str, file: Path, context: HookContext) -> str:
    program = _client(programs, "pg_restore")
    ran = run_program(program, [argument, str(file)], environment=programs.environment(), cancelled=context.cancelled)
    context.check_cancelled()
    if not ran.ok:
        raise RuntimeError(f"the dump {file} cannot be read back: {ran.said}")
    return ran.out.decode(errors="replace")


def _client(programs: Binaries, name: str) -> Path:
    program = programs.client(name)
    if program is None:
        raise RuntimeError(f"there is no {name} in {programs.directory}: name another directory in the option pg_bin")
    return program
