"""How many rows the condition of an UPDATE or DELETE chooses: asked, since the planner's guess may be far off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.source import Source
from confiture_tui.core.risk.harmless import is_harmless
from confiture_tui.core.risk.probes import Question
from confiture_tui.core.risk.tables import TablesOfCatalog, bracketed, columns_named
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.probes import ProbeResult

_FROM_ELSEWHERE = frozenset({"withClause", "fromClause", "usingClause"})


def rows_chosen(forecast: Forecast, catalog: Catalog, changed: Callable[[str], bool]) -> Question | None:
    """The question for the rows that an UPDATE or DELETE of one table chooses; ``None`` where it cannot be put.

    It cannot where other tables or the user's own code decide, where statements before this one change the values, and
    where a column of the condition is not what the catalog knows by its name.

    Args:
        forecast: of the statement.
        catalog: of the database as it is.
        changed: whether statements before this one change the values of a relation of the catalog.
    """
    node = forecast.statement.node or {}
    if forecast.statement.node_kind not in ("UpdateStmt", "DeleteStmt") or "whereClause" not in node:
        return None
    tables = TablesOfCatalog(forecast, catalog, changed, {})
    table = None if _FROM_ELSEWHERE & node.keys() else tables.table(node.get("relation", {}))
    condition = _condition(forecast.statement.sql)
    if table is None or condition is None or not is_harmless(condition, forecast.before, table.relation):
        return None
    if not tables.as_named(table, columns_named(node["whereClause"])) or changed(table.name):
        return None
    range_var = node["relation"]
    alias = range_var.get("alias", {}).get("aliasname")
    if alias is None and range_var["relname"] != table.relation.name:
        alias = range_var["relname"]
    known_as = "" if alias is None else f" AS {quote_identifier(alias)}"
    only = "" if range_var.get("inh") else "ONLY "
    return Question(
        "",
        f"rows of {table.source} that its condition chooses",
        f"SELECT FROM {only}{table.name}{known_as} WHERE {bracketed(condition)}",
        relations=(table.name,),
        counts_all=True,
    )


def count_among(answers: Iterable[ProbeResult]) -> ProbeResult | None:
    """Of the answers about one statement the one to this question; ``None`` where it was not asked or not answered."""
    return next((each for each in answers if not each.sqlstate and each.rows is not None), None)


def rows_counted(answers: Mapping[int, tuple[ProbeResult, ...]]) -> dict[int, int]:
    """How many rows were counted, by the statement's index; what was not counted is not among them."""
    counts = {index: count_among(found) for index, found in answers.items()}
    return {index: each.rows for index, each in counts.items() if each is not None and each.rows is not None}


def _condition(sql: str) -> str | None:
    """The text of the condition: from the only WHERE outside of brackets to RETURNING or the end."""
    source = Source(sql)
    place = source.word("where", 0, len(sql))
    if place is None:
        return None
    end = source.word("returning", place, len(sql))
    return source.part(place + len("where"), len(sql) if end is None else end).rstrip("; \t\r\n")
