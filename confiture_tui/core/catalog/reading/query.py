"""What a query of the catalogs is, and the pieces of SQL that several of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]
"""The rows of each query, by its name; no entry where a query could not be run."""

FIRST_USER_OID = 16384
"""FirstNormalObjectId (src/include/access/transam.h): smaller oids are objects that initdb made."""

USER_SCHEMA = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
"""Condition on ``pg_namespace n``: not PostgreSQL's own schema (the prefix pg_ is reserved), nor a temporary one."""

USER_OR_OWN_TEMPORARY_SCHEMA = f"({USER_SCHEMA} OR n.oid = pg_my_temp_schema())"
"""The same, and the session's own temporary schema: its tables hide others of the same name."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a query's text may depend on.

    Attributes:
        version: ``server_version_num``.
        reads_pg_statistic: the role may read ``pg_statistic`` itself, and need not ask for each column.
    """

    version: int
    reads_pg_statistic: bool


@dataclass(frozen=True, slots=True)
class Query:
    """One query of the catalogs.

    Attributes:
        name: under which its rows are kept.
        what: what it reads, in words for ``NotVisible``.
        sql: its text, or what makes it for a server. No parameters.
        required: positions of definitions that the server gives unless the object was dropped meanwhile.
    """

    name: str
    what: str
    sql: str | Callable[[Target], str]
    required: tuple[int, ...] = ()

    def text(self, target: Target) -> str:
        """The SQL for this server."""
        return self.sql if isinstance(self.sql, str) else self.sql(target)


def qualified(schema: str, name: str) -> str:
    """SQL for a qualified name, quoted as quote_ident does, from two SQL expressions."""
    return f"quote_ident({schema}) || '.' || quote_ident({name})"


def array_numbers(text: str | None) -> list[int | None]:
    """The numbers in the text of a one-dimensional array of them; an aggregate over no rows gives ``None``."""
    if text is None:
        return []
    return [None if number == "NULL" else int(number) for number in text[1:-1].split(",")]


def volatility_of(tree: str) -> str:
    """SQL for the volatility (``i``, ``s``, ``v``) of a stored expression; ``tree`` is its pg_node_tree as text.

    The worst volatility of the functions it calls, which the tree names by oid; nextval of an identity column and the
    likes of CURRENT_TIMESTAMP have nodes of their own. It is what contain_volatile_functions asks
    (src/backend/optimizer/util/clauses.c); no SQL function offers it.
    """
    return f"""CASE
        WHEN {tree} IS NULL THEN NULL
        WHEN {tree} LIKE '%{{NEXTVALUEEXPR %' THEN 'v'
        WHEN {tree} ~ ':(op)?funcid |SQLVALUEFUNCTION|COERCEVIAIO' THEN greatest(
          CASE WHEN {tree} ~ 'SQLVALUEFUNCTION|COERCEVIAIO' THEN 's' ELSE 'i' END,
          (SELECT max(p.provolatile::text COLLATE "C")
           FROM regexp_matches({tree}, ':(?:op)?funcid (\\d+)', 'g') AS found(number)
           JOIN pg_proc p ON p.oid = found.number[1]::oid))
        ELSE 'i' END"""
