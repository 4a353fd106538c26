"""What is to follow a function or view so that it gives away no more than it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.source import Source
from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast


def revoke_from_public(forecast: Forecast) -> str | None:
    """The function, and REVOKE, in one transaction."""
    name = _signature(forecast)
    if name is None:
        return None
    return (
        Recipe()
        .brief(
            "Nobody but its owner may call the function; grant it to those who need it.",
            forecast.statement.sql,
            f"REVOKE EXECUTE ON {name} FROM PUBLIC",
        )
        .text()
    )


def fix_search_path(forecast: Forecast) -> str | None:
    """The function, and its search_path, in one transaction."""
    name = _signature(forecast)
    if name is None:
        return None
    return (
        Recipe()
        .brief(
            "Names in the function mean the same whoever calls it: qualify those that are not PostgreSQL's own.",
            forecast.statement.sql,
            f"ALTER {name} SET search_path = pg_catalog, pg_temp",
        )
        .text()
    )


def security_invoker(forecast: Forecast, view: str) -> str | None:
    """The view, read with the rights of whoever asks; from PostgreSQL 15 on."""
    if forecast.before.server_version_num < 150000:
        return None
    return (
        Recipe()
        .brief(
            "The view reads its tables with the rights, and under the policies, of whoever asks.",
            forecast.statement.sql,
            f"ALTER VIEW {view} SET (security_invoker = true)",
        )
        .text()
    )


def _signature(forecast: Forecast) -> str | None:
    """``FUNCTION name(types)``, types as written; ``None`` where that cannot be told."""
    node = forecast.statement.node or {}
    source = Source(forecast.statement.sql)
    types = []
    for one in node.get("parameters", ()):
        parameter = one.get("FunctionParameter", {})
        if parameter.get("mode") in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"):
            continue
        location = parameter.get("argType", {}).get("location")
        if location is None:
            return None
        start = source.offset(location)
        types.append(_type_text(source, start))
    kind = "PROCEDURE" if node.get("is_procedure") else "FUNCTION"
    name = ".".join(map(quote_identifier, strings(node.get("funcname", ()))))
    return f"{kind} {name}({', '.join(types)})"


def _type_text(source: Source, start: int) -> str:
    """A parameter's type: up to a comma, the closing bracket, DEFAULT or ``=``."""
    depth = 0
    end = start
    for position, token in source.tokens(start, len(source.sql)):
        if depth == 0 and (token in ",)=" or token.lower() == "default" or token == ":"):
            break
        depth += {"(": 1, ")": -1}.get(token, 0)
        end = position + len(token)
    return source.sql[start:end]
