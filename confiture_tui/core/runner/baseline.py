"""A database that has the schema already: migrations are marked as applied, and nothing of them is run."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.schema import Schema
from confiture_tui.core.effects.simulation import simulate_all
from confiture_tui.core.runner import advisory_lock
from confiture_tui.core.runner.failures import HalfWay
from confiture_tui.core.runner.in_transaction import LedgerDiffers
from confiture_tui.core.runner.journal import JournalState
from confiture_tui.core.runner.recovery import settle_journal
from confiture_tui.core.runner.selection import Objection, ObjectionCode
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.forecast import Simulation
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.runner.journal import Journal
    from confiture_tui.database.ledger_table import LedgerTable


def what_is_absent(migrations: Sequence[Migration], catalog: Catalog) -> tuple[Objection, ...]:
    """The migrations whose tables, views, indexes, sequences or columns are not in the database, though nothing later
    drops or renames them: they have not been run."""
    there = Schema.of(catalog)
    simulations = simulate_all(migrations)
    columns = _columns_kept(simulations)
    found = []
    for simulation in simulations:
        made = (name for forecast in simulation.forecasts for name in forecast.effects.creates or ())
        absent = [
            name
            for name in dict.fromkeys(made)
            if simulations[-1].after.find(name).object is not None and there.find(name).object is None
        ]
        absent += [
            f"{table}.{quote_identifier(column)}"
            for (table, column), owner in columns.items()
            if owner is simulation and (relation := there.find(table).relation) and not relation.column(column)
        ]
        if absent:
            migration = simulation.migration
            sentence = f"{migration.label} makes {', '.join(absent)}, which the database does not have: " + (
                "apply it, or allow `absent`."
            )
            found.append(Objection(code=ObjectionCode.ABSENT, version=migration.version, sentence=sentence))
    return tuple(found)


def _columns_kept(simulations: Sequence[Simulation]) -> dict[tuple[str, str], Simulation]:
    """The columns that ADD COLUMN makes and nothing later takes away or renames, and whose they are."""
    kept: dict[tuple[str, str], Simulation] = {}
    for simulation in simulations:
        for forecast in simulation.forecasts:
            node, before = forecast.statement.node or {}, forecast.before
            table = before.name_of(node["relation"]) if isinstance(node.get("relation"), dict) else ""
            for one in node.get("cmds", ()):
                command = one.get("AlterTableCmd", {})
                if command.get("subtype") == "AT_AddColumn":
                    kept[table, command["def"]["ColumnDef"]["colname"]] = simulation
                elif command.get("subtype") == "AT_DropColumn":
                    kept.pop((table, command.get("name", "")), None)
            if forecast.statement.node_kind == "RenameStmt":
                kept.pop((table, node.get("subname", "")), None)
    return kept


def mark_all_applied(
    conn: psycopg.Connection[Any], migrations: Sequence[Migration], *, ledger: LedgerTable, journal: Journal
) -> None:
    """Write migrations into the ledger, and that a person did so into the journal: all of them, or none.

    Args:
        conn: in autocommit mode.

    Raises:
        LockHeld: a run is under way.
        HalfWay: an earlier run was left half-way.
        LedgerDiffers: one of them is in the ledger already.
        psycopg.Error: the ledger or the journal could not be written.
    """
    with advisory_lock.held(conn):
        ledger.create(conn)
        journal.create(conn)
        if left := settle_journal(conn, journal):
            raise HalfWay(" ".join(one.sentence for one in left), hint="Settle it first (see `status`).")
        run_id = str(uuid.uuid4())
        with conn.transaction():
            for migration in migrations:
                _mark(conn, migration, run_id, ledger=ledger, journal=journal)


def _mark(
    conn: psycopg.Connection[Any], migration: Migration, run_id: str, *, ledger: LedgerTable, journal: Journal
) -> None:
    known = {"version": migration.version, "name": migration.name, "checksum": migration.checksum}
    if ledger.holds(conn, migration.version):
        raise LedgerDiffers(
            f"{migration.label} is in the ledger already: somebody has applied it meanwhile.",
            hint="Nothing was changed. Look at the status again.",
        )
    ledger.record(conn, **known, execution_time_ms=0)
    entry = journal.begin(
        conn,
        run_id=run_id,
        **known,
        direction="forward",
        transactional=True,
        statements=len(migration.up.statements),
        tool_version=metadata.version("confiture-tui"),
        expected=None,
    )
    text = "Marked as applied by hand: the database had its schema already."
    journal.update(conn, entry, state=JournalState.SETTLED, error=text)
