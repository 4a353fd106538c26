"""``test_application_queries``: what the application asks still works, and its plans are not worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import tuple_row

from confiture_tui.core.hooks.hook import Hook, HookOptions
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.sql.statement import Statement

_PLANNABLE = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


class TestApplicationQueriesOptions(HookOptions):
    """Which queries.

    Attributes:
        file: a file of SQL, one query after the other; a relative path is meant from the migration's directory.
            ``$1``, ``$2`` … are allowed where the server can tell their types.
        max_cost_factor: a plan whose cost has grown by more than this factor since an earlier phase stops the
            migration; ``null`` only tells it.
    """

    __test__ = False  # Its name begins like a test's.

    file: Path
    max_cost_factor: float | None = None


class TestApplicationQueries(Hook):
    """Plans each query of a file (EXPLAIN; nothing is run), and fails when one cannot be planned any more.

    Used in BEFORE_DDL and again in AFTER_DDL it also compares the plans.
    """

    __test__ = False  # Its name begins like a test's.

    name = "test_application_queries"
    phase = HookPhase.AFTER_DDL
    phases = frozenset(
        {HookPhase.BEFORE_VALIDATION, HookPhase.BEFORE_DDL, HookPhase.AFTER_DDL, HookPhase.AFTER_VALIDATION}
    )
    Options = TestApplicationQueriesOptions
    idempotent = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Plan one query after the other."""
        file = self._path(context)
        queries = self._read(file)
        before = context.statistics.get(self.hook_name(), {}).get("plans", {})
        plans: dict[str, Any] = {}
        grown: list[str] = []
        for done, query in enumerate(queries, start=1):
            context.check_cancelled()
            place = f"{file.name}, line {query.line}"
            plans[place] = plan = self._plan(conn, query, place)
            if place in before and (sentence := _compared(place, before[place], plan)):
                context.logger.warning(sentence, before=before[place]["cost"], after=plan["cost"])
                factor = plan["cost"] / max(before[place]["cost"], 0.01)
                if self.options.max_cost_factor is not None and factor > self.options.max_cost_factor:
                    grown.append(sentence)
            context.progress(done, len(queries), place)
        if grown:
            raise RuntimeError("; ".join(grown))
        return HookResult(statistics={"queries": len(queries), "plans": plans}, message=f"{len(queries)} queries work")

    def _path(self, context: HookContext) -> Path:
        file: Path = self.options.file
        if not file.is_absolute() and context.migration is not None and context.migration.path is not None:
            return context.migration.path.parent / file
        return file

    def _read(self, file: Path) -> tuple[Statement, ...]:
        try:
            script = Script.from_text(file.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise ValueError(f"the file of queries {file} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"the file of queries {file} is not UTF-8") from None
        for statement in script.statements:
            if statement.problem is not None:
                raise ValueError(f"{file.name}, line {statement.problem.line}: {statement.problem.message}")
            if statement.node_kind not in _PLANNABLE:
                raise ValueError(f"{file.name}, line {statement.line}: {statement.tag} is no query that can be planned")
        if not script.statements:
            raise ValueError(f"the file of queries {file} holds no query")
        return script.statements

    def _plan(self, conn: psycopg.Connection[Any], query: Statement, place: str) -> dict[str, Any]:
        import psycopg

        try:
            # Rolled back, or what is set here would hold to the end of the migration's transaction.
            with conn.transaction(force_rollback=True):
                # The generic plan: an application's parameters are not known here. PREPARE finds out their types.
                conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
                conn.execute(b"PREPARE confiture_query AS " + query.sql.encode())
                try:
                    nulls = self._nulls(conn)
                    row = conn.cursor(row_factory=tuple_row).execute(
                        f"EXPLAIN (FORMAT JSON) EXECUTE confiture_query{nulls}".encode()
                    )
                    (plan,) = row.fetchone() or (None,)
                finally:
                    if conn.info.transaction_status.name != "INERROR":
                        conn.execute("DEALLOCATE confiture_query")
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            raise RuntimeError(f"{place}: the application's query does not work any more: {said}") from error
        assert plan is not None  # EXPLAIN gives one row
        return {"cost": float(plan[0]["Plan"]["Total Cost"]), "nodes": sorted(_nodes(plan[0]["Plan"]))}

    def _nulls(self, conn: psycopg.Connection[Any]) -> str:
        (count,) = conn.cursor(row_factory=tuple_row).execute(
            "SELECT pg_catalog.cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements "
            "WHERE name = 'confiture_query'"
        ).fetchone() or (0,)
        return f"({', '.join(['NULL'] * count)})" if count else ""


def _nodes(plan: dict[str, Any]) -> list[str]:
    """What a plan reads and how: ``Seq Scan orders``."""
    here = [f"{plan['Node Type']} {plan['Relation Name']}"] if "Relation Name" in plan else []
    return here + [node for child in plan.get("Plans", ()) for node in _nodes(child)]


def _compared(place: str, before: dict[str, Any], after: dict[str, Any]) -> str | None:
    new = [node for node in after["nodes"] if node.startswith("Seq Scan") and node not in before["nodes"]]
    if new:
        return f"{place}: the query reads from end to end now: {', '.join(new)}"
    if after["cost"] > 2 * before["cost"]:
        return f"{place}: the query's cost has grown from {before['cost']:,.0f} to {after['cost']:,.0f}"
    return None
