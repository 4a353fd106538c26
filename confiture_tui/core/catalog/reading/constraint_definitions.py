"""The definitions of the plain constraints, written here rather than asked of the server.

There is a NOT NULL for almost every column, a key and some foreign keys for every table; asking for each of them takes
longer than reading all of its properties. What is not plain (checks, exclusions, keys that include columns or ranges
of time) the server writes. A test compares what is written here with what the server writes.
"""

from __future__ import annotations

ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
MATCH = {"s": "SIMPLE", "f": "FULL", "p": "PARTIAL"}


def written_here(since_15: bool, since_18: bool) -> str:
    """SQL condition for a constraint ``k`` with its index ``x``, whose definition ``definition`` can write."""
    plain_index = "x.indnatts = x.indnkeyatts" + (" AND NOT x.indnullsnotdistinct" if since_15 else "")
    all_columns = "k.confdelsetcols IS NULL" if since_15 else "true"
    no_period = "NOT k.conperiod" if since_18 else "true"
    return f"""(k.conrelid <> 0 AND (k.contype = 'n' OR {no_period} AND (
        k.contype IN ('p', 'u') AND {plain_index} OR k.contype = 'f' AND {all_columns})))"""


def not_null(columns: str, *, no_inherit: bool, validated: bool) -> str:
    """A NOT NULL constraint of a table as pg_get_constraintdef writes it; ``columns``: their quoted names."""
    return f"NOT NULL {columns}{' NO INHERIT' if no_inherit else ''}{'' if validated else ' NOT VALID'}"


def key(columns: str, *, primary: bool, timing: str) -> str:
    """A primary key or unique constraint as pg_get_constraintdef writes it."""
    return f"{'PRIMARY KEY' if primary else 'UNIQUE'} ({columns}){timing}"


def foreign_key(
    columns: str, referenced: str, referenced_columns: str, *, match: str, on_update: str, on_delete: str, timing: str
) -> str:
    """A foreign key as pg_get_constraintdef writes it; match and actions are given as the catalog has them."""
    text = f"FOREIGN KEY ({columns}) REFERENCES {referenced}({referenced_columns})"
    if match != "s":
        text += f" MATCH {MATCH[match]}"
    if on_update != "a":
        text += f" ON UPDATE {ACTIONS[on_update]}"
    if on_delete != "a":
        text += f" ON DELETE {ACTIONS[on_delete]}"
    return text + timing


def timing_of(*, deferrable: bool, deferred: bool, enforced: bool, validated: bool) -> str:
    """The end of a definition: when it is checked, and whether it is."""
    text = (" DEFERRABLE" if deferrable else "") + (" INITIALLY DEFERRED" if deferred else "")
    if not enforced:
        return text + " NOT ENFORCED"
    return text if validated else text + " NOT VALID"
