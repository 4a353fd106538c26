"""Every safe rewrite runs as it is printed, reaches the same schema, and never works while others have to wait."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.core.risk.advice.columns import VALUE
from confiture_tui.core.risk.advice.recipe import INDENT
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.rules import RULES
from confiture_tui.core.sql.script import Script
from tests.core.risk.advice.cases import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confiture_tui.core.catalog.diff import SchemaChange
    from confiture_tui.core.effects.model import RelationLock
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer
    from tests.support.databases import Databases

_LATER = f"-- {INDENT}"
_STORED = {RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.MATERIALIZED_VIEW}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_safe_sql(
    case: Case, server: EmbeddedServer, databases: Databases, database_from: Callable[[str], Dsn]
) -> None:
    if server.version_num // 10000 < case.from_major:
        pytest.skip(f"the syntax is from PostgreSQL {case.from_major}")
    plain, safe = database_from(case.setup), database_from(case.setup)
    with _connected(plain) as conn:
        before = Catalog.load(conn)
        safe_sql = _safe_sql(case, before)
        _run(conn, case.plain or case.sql)
        wanted, rows_wanted = Catalog.load(conn), _rows(conn)
    with _connected(safe) as conn:
        _run(conn, safe_sql)
        _run(conn, _later(safe_sql))
        reached, rows_reached = Catalog.load(conn), _rows(conn)
    if case.same_schema:
        assert _differences(wanted.diff(reached).changes) == [], safe_sql
        if case.same_data:
            assert rows_reached == rows_wanted, safe_sql
    assert [one.name for one in reached.indexes.values() if not one.valid] == []
    _assert_gentle(case, safe_sql, before, server, databases)


def test_every_rule_with_safe_sql_has_a_case(catalog_of_setup: Callable[[str], Catalog]) -> None:
    tested = {case.rule for case in CASES}
    for rule in RULES:
        risks = RiskAssessmentEngine(catalog_of_setup(rule.setup), runner="loose").assess(Migration.from_sql(rule.bad))
        told = {risk.rule for risk in risks.risks if risk.safe_sql is not None}
        assert told <= tested, rule.id


@pytest.fixture
def catalog_of_setup(database_from: Callable[[str], Dsn]) -> Callable[[str], Catalog]:
    known: dict[str, Catalog] = {}

    def load(setup: str) -> Catalog:
        if setup not in known:
            with _connected(database_from(setup)) as conn:
                known[setup] = Catalog.load(conn)
        return known[setup]

    return load


def _connected(database: Dsn) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(database.conninfo(), autocommit=True)


def _safe_sql(case: Case, catalog: Catalog) -> str:
    assessment = RiskAssessmentEngine(catalog, runner="loose").assess(Migration.from_sql(case.sql))
    told = [risk for risk in assessment.risks if risk.rule == case.rule]
    assert told, [risk.rule for risk in assessment.risks]
    safe_sql = next((risk.safe_sql for risk in told if risk.safe_sql is not None), None)
    assert safe_sql is not None, "no safe SQL"
    return safe_sql if case.put is None else safe_sql.replace(VALUE, case.put)


def _run(conn: psycopg.Connection[Any], text: str) -> None:
    for statement in _statements(text):
        assert statement.problem is None, statement.sql
        conn.execute(statement.sql.encode())


def _statements(text: str) -> tuple[Statement, ...]:
    """All statements, also a BEGIN and COMMIT around the whole."""
    script = Script.from_text(text)
    if script.wrapper is None:
        return script.statements
    begin, commit = script.wrapper
    return (begin, *script.statements, commit)


def _later(safe_sql: str) -> str:
    """What a later migration is to run: it stands in the comments, indented."""
    return "\n".join(line[len(_LATER) :] for line in safe_sql.splitlines() if line.startswith(_LATER))


def _rows(conn: psycopg.Connection[Any]) -> dict[str, Any]:
    """A sum over the rows of each table, in which the order of rows and columns plays no part."""
    found = {}
    for relation in Catalog.load(conn).relations.values():
        if relation.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED_VIEW):
            query = f"SELECT count(*), sum(hashtext(to_jsonb(r)::text)::bigint) FROM {relation.qualified_name} r"
            found[relation.qualified_name] = conn.execute(query.encode()).fetchone()
    return found


def _differences(changes: Iterable[SchemaChange]) -> list[SchemaChange]:
    return [
        change
        for change in changes
        if not change.order_only and any(one.attribute != "column order" for one in change.attributes)
    ]


def _assert_gentle(case: Case, safe_sql: str, before: Catalog, server: EmbeddedServer, databases: Databases) -> None:
    """Watches each statement in a transaction of its own, and adds up what a transaction of the rewrite holds."""
    statements, groups, locked = _ungrouped(safe_sql)
    settings = SessionSettings({"TimeZone": before.session.time_zone})
    template = databases.template(case.setup)
    shadow = Shadow.from_template(server, template, owner="postgres", rows=Rows.FULL, settings=settings)
    result = shadow.dry_run(Migration.from_sql(statements), profile=PROFILES["loose"])
    assert result.ok, (result.failure, safe_sql)
    tables = {one.qualified_name for one in before.relations.values() if one.kind in _STORED}
    seen = zip(groups, result.statements, strict=True)
    views = {one.qualified_name for one in before.relations.values() if one.kind is RelationKind.MATERIALIZED_VIEW}
    for group, members in groupby(seen, key=lambda each: each[0]):
        held = ["LOCK TABLE"] if group in locked else list[str]()
        for _, one in members:
            assert one.locks is not None, one.sql
            held += [f"{lock.mode.value} on {lock.relation}" for lock in one.locks if _makes_wait(lock, views)]
            if one.tag.startswith("TRUNCATE"):
                # The table and its indexes get new, empty files: nothing is read or written.
                continue
            worked = {*(one.rewrites or ()), *(one.scans or ())} & tables
            built = {*(one.builds or ()), *(one.rebuilds or ())}
            built = {name for name in built if _table_of(name, before) in tables}
            assert not (held and (worked or built)), (one.sql, held, worked, built, safe_sql)


def _makes_wait(lock: RelationLock, views: set[str]) -> bool:
    """Whether somebody waits for it: a materialized view is written by REFRESH alone, so that its readers count."""
    return lock.mode.blocks_reads if lock.relation in views else lock.mode.blocks_writes


def _table_of(index: str, before: Catalog) -> str | None:
    """The table of an index that was there before; of a new one nobody knows, and it counts."""
    found = next((one for one in before.indexes.values() if one.qualified_name == index), None)
    return found.relation if found is not None else next(iter(before.relations.values())).qualified_name


def _ungrouped(safe_sql: str) -> tuple[str, list[int], set[int]]:
    """The statements without BEGIN, COMMIT and LOCK, for each the number of its transaction, and which ones LOCK."""
    pieces, groups, locked, group, inside = list[str](), list[int](), set[int](), 0, False
    for statement in _statements(safe_sql):
        if statement.node_kind == "TransactionStmt":
            inside = not inside
            group += 1
            continue
        if not inside:
            group += 1
        if statement.node_kind == "LockStmt":
            locked.add(group)
            continue
        pieces.append(statement.sql.replace("SET LOCAL ", "SET ", 1))
        groups.append(group)
    return ";\n".join(pieces), groups, locked
