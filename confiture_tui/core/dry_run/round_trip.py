"""Up, down, compare, up again: whether the way back restores the schema, and what becomes of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.diff import Change
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.dry_run.passes import verdict_pass
from confiture_tui.core.dry_run.result import DataAfter, RoundTrip, Rows
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.findings import MAX_SQL_CHARACTERS
from confiture_tui.events import discard

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog.diff import SchemaChange, SchemaDiff
    from confiture_tui.core.dry_run.execution import Ran
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.sql.script import Script
    from confiture_tui.database.cancellation import CancelScope

    Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]

_INSUFFICIENT_PRIVILEGE = "42501"
_STORED = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE})
_TAKES_AWAY = frozenset({"DropStmt"})
"""Statements that do nothing to rows but take relations away: whose they were, the catalogs tell."""
_LONGEST_TEXT = 200
"""Characters of a definition that a difference quotes."""


def reread(conn: psycopg.Connection[Any]) -> Catalog:
    """The catalog as it is now; settings of a migration (role, search_path) must not colour what is read."""
    conn.execute("RESET ROLE")
    conn.execute("RESET ALL")
    return Catalog.load(conn)


def go_back(
    connect: Connect,
    migration: Migration,
    profile: RunnerProfile,
    result: DryRunResult,
    *,
    before: Catalog,
    after: Catalog,
    plain_for_superuser: bool,
    scope: CancelScope,
) -> RoundTrip:
    """Take the migration back where it was applied, compare, and apply it once more.

    Args:
        connect: opens a session on the database on which it was applied: one for each direction, as a runner would.
        migration: has a way back.
        profile: how it is run.
        result: of its dry run, which succeeded.
        before: the schema before it, on the same database or one that this one is a copy of.
        after: the schema after it.
        plain_for_superuser: a plain role runs it in place of the target's superuser.
        scope: what cancels it.

    Raises:
        Cancelled: the scope was cancelled.
    """
    down = migration.down
    assert down is not None, "the caller has looked"
    untried = _untried(down)
    if untried:
        return RoundTrip(schema_proved=None, differences=(untried,))
    with connect() as conn:
        failed = _failed(_run(conn, down, profile, scope), plain_for_superuser)
        if failed is not None:
            schema_proved, text = failed
            return RoundTrip(schema_proved=schema_proved, differences=(f"The way back {text}",))
        back = reread(conn)
    differences, lesser = differing(before.diff(back))
    proved = not differences
    data = _data(migration, profile, result, before, after, back)
    again, once_more = _again(connect, migration, profile, after, plain_for_superuser, scope)
    if once_more is not None:
        differences = (*differences, once_more)
    return RoundTrip(schema_proved=proved, differences=differences, lesser=lesser, data=data, again=again)


def _again(
    connect: Connect,
    migration: Migration,
    profile: RunnerProfile,
    after: Catalog,
    plain_for_superuser: bool,
    scope: CancelScope,
) -> tuple[bool | None, str | None]:
    """Whether it can be applied once more and leaves what it left the first time, and in words what is wrong."""
    with connect() as conn:
        failed = _failed(_run(conn, migration.up, profile, scope), plain_for_superuser)
        if failed is not None:
            return failed[0], f"Applied once more, it {failed[1]}"
        # The order of columns may be the way back's doing, and is told there.
        more, _ = differing(after.diff(reread(conn)))
    if more:
        return False, f"Applied once more, it leaves another schema: {'; '.join(more)}"
    return True, None


def _untried(down: Script) -> str | None:
    """Why a way back cannot be tried; ``None`` when it can."""
    if down.meta_commands:
        lines = ", ".join(str(one.line) for one in down.meta_commands)
        return f"The way back holds psql meta-commands, which the server does not know: line {lines}."
    return None


def _run(conn: psycopg.Connection[Any], script: Script, profile: RunnerProfile, scope: CancelScope) -> list[Ran]:
    return verdict_pass(conn, script.statements, profile.wrapping_of(script), scope=scope, sink=discard)


def _failed(results: list[Ran], plain_for_superuser: bool) -> tuple[bool | None, str] | None:
    """Whether a direction came to its end: ``None`` when it did; else what that proves, and in words."""
    for one in results:
        if one.skipped:
            return None, f"could not be tried to the end: {one.skipped}"
    if not results or results[-1].failure is None:
        return None
    failure = results[-1].failure
    line = f" on line {failure.line}" if failure.line is not None else ""
    proves = None if plain_for_superuser and failure.sqlstate == _INSUFFICIENT_PRIVILEGE else False
    return proves, f"fails{line} with {failure.sqlstate}: {failure.message}"


def differing(diff: SchemaDiff) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Differences in words, in the order of kinds and names; and apart from them, tables with another column order."""
    texts, lesser = list[str](), list[str]()
    for change in diff.changes:
        for order, text in _in_words(change):
            (lesser if order else texts).append(text)
    return tuple(texts), tuple(lesser)


def _in_words(change: SchemaChange) -> Iterator[tuple[bool, str]]:
    """One line for a whole object, or one for each attribute; true for the order of columns."""
    label = f"{change.kind} {change.name}"
    if change.change is Change.REMOVED:
        yield False, f"{label} does not come back"
        return
    if change.change is Change.ADDED:
        yield False, f"{label} stays"
        return
    for one in change.attributes:
        texts = f"was {_quoted(one.before)}, is {_quoted(one.after)} afterwards"
        yield one.attribute == "column order", f"{label}: {one.attribute} {texts}"


def _quoted(text: str | None) -> str:
    if text is None:
        return "absent"
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 2]} …"


def _data(
    migration: Migration,
    profile: RunnerProfile,
    result: DryRunResult,
    before: Catalog,
    after: Catalog,
    back: Catalog,
) -> DataAfter:
    """What becomes of the rows that were there before the migration."""
    down = migration.down
    if down is None or any(len(one.text) > MAX_SQL_CHARACTERS for one in (migration.up, down)):
        return DataAfter.UNKNOWN
    up_effects = [one.effects for one in simulate(migration, catalog=before, profile=profile).forecasts]
    down_forecasts = simulate(migration, catalog=after, profile=profile, direction="down").forecasts
    observed = result.statements if result.rows is Rows.FULL else ()
    destroys = [seen.destroys_data for seen in observed] or [one.destroys_data for one in up_effects]
    changes = [seen.changes_data for seen in observed] or [one.changes_data for one in up_effects]
    missing = _stored(before) - _stored(back)
    if True in destroys or (missing and result.rows is not Rows.FULL):
        return DataAfter.LOST
    # What only takes away relations or columns that the migration itself has made leaves all else as it was.
    touching = [
        one.effects
        for one in down_forecasts
        if one.statement.node_kind not in _TAKES_AWAY and not _only_drops_columns(one.statement.node or {})
    ]
    if missing:
        return DataAfter.UNKNOWN
    answers = [
        *destroys,
        *changes,
        *(one.destroys_data for one in touching),
        *(one.changes_data for one in touching),
    ]
    return DataAfter.KEPT if all(one is False for one in answers) else DataAfter.UNKNOWN


def _stored(catalog: Catalog) -> set[tuple[int, int]]:
    """The tables and their columns, by oid and number (0 for the table itself): one made anew has others."""
    return {
        (table.oid, number)
        for table in catalog.relations.values()
        if table.kind in _STORED
        for number in (0, *(column.number for column in table.columns))
    }


def _only_drops_columns(node: dict[str, Any]) -> bool:
    commands = [one.get("AlterTableCmd", {}) for one in node.get("cmds", ()) if isinstance(one, dict)]
    return bool(commands) and all(one.get("subtype") == "AT_DropColumn" for one in commands)
