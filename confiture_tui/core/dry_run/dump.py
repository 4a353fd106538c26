"""Making a copy of a target's schema: ``pg_dump --schema-only``, restored on the shadow's server by a plain role.

What cannot be restored (an extension that the shadow's server does not have, for example) is left out and reported,
never hidden: a dry run says what it could not try.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.restore import Source, restore
from confiture_tui.database.client_programs import LOCK_WAIT, run_against
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.host import ShadowHost
    from confiture_tui.database.cancellation import CancelScope

_FORBIDDEN = """
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
) AS forbidden
"""
"""Whether there is a relation that pg_dump may not lock: it wants SELECT for that."""


@dataclass(frozen=True, slots=True)
class Built:
    """A restored copy.

    Attributes:
        owner: the role that owns it.
        roles: the roles that were made for it alone.
        source_is_superuser: the target's session may do what the owner of the copy may not.
        notes: what the reader must know about it.
    """

    owner: str
    roles: tuple[str, ...]
    source_is_superuser: bool
    notes: tuple[str, ...]


class LacksRightsError(ConfitureError):
    """The role may not read the definition of everything, so that pg_dump refuses."""


def build_from_dump(
    conn: psycopg.Connection[Any],
    server: ShadowHost,
    template: str,
    *,
    sink: Sink,
    scope: CancelScope,
) -> Built:
    """Make the database ``template`` on the shadow's server, with the schema of the connection's database.

    Raises:
        LacksRightsError: the connection's role may not read every definition.
        ConfitureError: pg_dump failed; the message is its own.
        Cancelled: the scope was cancelled.
    """
    database = conn.info.dbname
    sink(Event(name=EventName.SHADOW_BUILDING, message=f"Copying the schema of {database} to a shadow"))
    dumped = _dump(conn, server, scope)
    source = Source.read(conn)
    owner = server.role or f"{template}_owner"
    roles = () if server.role is not None else (f"{owner}_helper", owner)
    notes = _version_notes(conn, server, source)
    try:
        if server.role is None:
            server.create_login(owner)
        server.create_database(template, owner=owner)
        missing = restore(server, template, owner, source, dumped, scope)
    except BaseException:
        # The first error is the one to be told: without its server nothing can be dropped, and nothing is left.
        with suppress(ConfitureError):
            server.drop_database(template)
            for role in roles:
                server.drop_login(role)
        raise
    notes += missing
    for text in missing:
        sink(Event(name=EventName.SHADOW_INCOMPLETE, message=text, level=Level.WARNING))
    sink(
        Event(
            name=EventName.SHADOW_READY,
            message=f"The shadow of {database} is ready: its schema, without rows",
            data={"left_out": len(missing)},
        )
    )
    return Built(owner, roles, source.is_superuser, tuple(notes))


def _version_notes(conn: psycopg.Connection[Any], server: ShadowHost, source: Source) -> list[str]:
    notes = []
    theirs, ours = conn.info.server_version // 10000, server.version_num // 10000
    if theirs != ours:
        notes.append(
            f"The target runs PostgreSQL {theirs} and the shadow PostgreSQL {ours}: "
            f"give --pg-bin a directory with the binaries of {theirs} for an exact answer."
        )
    used = {name.strip('"') for name, _schema, _quoted in source.extensions} & set(server.stand_ins)
    if used:
        notes.append(f"Extensions that are stand-ins on the shadow: {', '.join(sorted(used))}.")
    return notes


def _pg_dump(server: ShadowHost) -> Path:
    """The pg_dump beside the shadow's server binaries: it reads every major up to its own."""
    program = server.bin_dir / "pg_dump"
    if not program.is_file():
        raise ConfitureError(
            f"There is no pg_dump in {server.bin_dir}.",
            hint="Give --pg-bin a directory with initdb, postgres and pg_dump.",
        )
    return program


def _dump(conn: psycopg.Connection[Any], server: ShadowHost, scope: CancelScope) -> str:
    """The schema as SQL text."""
    ran = run_against(
        conn,
        _pg_dump(server),
        [
            "--schema-only",
            "--no-owner",
            # A subscription would lie here with its publisher's password in it, and could not be dropped.
            "--no-subscriptions",
            "--encoding=UTF8",
            f"--lock-wait-timeout={LOCK_WAIT}",
        ],
        scope=scope,
    )
    scope.check()
    if not ran.ok:
        raise _kind_of_refusal(conn)(
            f"pg_dump could not read the schema of {conn.info.dbname}: {ran.said}",
            hint="A dry run on a shadow needs a role that may read every table's definition, "
            "and no ACCESS EXCLUSIVE lock on any of them just now.",
        )
    return ran.out.decode(errors="replace")


def _kind_of_refusal(conn: psycopg.Connection[Any]) -> type[ConfitureError]:
    """Why pg_dump failed, asked of the server: its words may be in any language."""
    import psycopg

    try:
        row = conn.execute(_FORBIDDEN).fetchone()
    except psycopg.Error:
        return ConfitureError  # It went away.
    return LacksRightsError if row is not None and row[0] else ConfitureError
