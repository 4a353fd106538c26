"""PostgreSQL's own objects of kinds that the catalog does not list: text search, operators, casts, access methods, …

Source: ``pg_ts_config``, ``pg_ts_dict``, ``pg_ts_template``, ``pg_ts_parser``, ``pg_am``, ``pg_language`` of 14 to 18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.builtins import builtins_of

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Schema

_LANGUAGES = (
    "arabic armenian basque catalan danish dutch english estonian finnish french german greek hindi hungarian"
    " indonesian irish italian lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil"
    " turkish yiddish"
)
_CONFIGURATIONS = frozenset({"simple", *_LANGUAGES.split()})
_DICTIONARIES = frozenset({"simple", *(f"{one}_stem" for one in _LANGUAGES.split())})
_BY_KIND = {
    "text search configuration": _CONFIGURATIONS,
    "text search dictionary": _DICTIONARIES,
    "text search template": frozenset({"simple", "synonym", "ispell", "thesaurus", "snowball"}),
    "text search parser": frozenset({"default"}),
    "access method": frozenset({"heap", "btree", "hash", "gist", "gin", "spgist", "brin"}),
    "language": frozenset({"internal", "c", "sql", "plpgsql"}),
    "collation": frozenset({"default", "C", "POSIX", "ucs_basic"}),
}
_MADE_BY_SCRIPTS = frozenset({"text search configuration", "text search dictionary", "collation"})
"""Kinds of which some are made by scripts when a cluster is made, and may be dropped."""
_UNLISTED = frozenset({"operator family", "conversion", "collation", "statistics object"})


def is_own(kind: str, parts: tuple[str, ...], schema: Schema, *, suffix: str = "") -> bool | None:
    """Whether a name means one of PostgreSQL's own objects; ``None``: that cannot be told.

    Args:
        kind: in the catalog's words.
        parts: of the name, as stored.
        schema: of the server's version.
        suffix: what follows the name in an identity: the types of an operator, the method of an operator class.
    """
    if len(parts) > 1 and parts[-2] != "pg_catalog":
        return False
    builtins = builtins_of(schema.server_version_num)
    if parts[-1] in _BY_KIND.get(kind, ()):
        return True
    if kind == "operator":
        types = [one for one in suffix.strip("()").split(", ") if one != "NONE"]
        return any(list(one.arguments) == types for one in builtins.operators(parts[-1]))
    if kind == "operator class":
        method = suffix.removeprefix(" USING ")
        return any(one.name == parts[-1] for one in builtins.operator_classes.get(method, ()))
    if kind == "cast":
        source, _, target = suffix.strip("()").partition(" AS ")
        return (source, target) in builtins.casts
    if kind == "statistics object":
        return False
    return None if kind in _UNLISTED else False


def is_pinned(kind: str, name: str) -> bool:
    """Whether one of PostgreSQL's own objects cannot be dropped."""
    return (
        kind not in _MADE_BY_SCRIPTS
        or name in ("default", "C", "POSIX")
        or (name == "simple" and kind == "text search dictionary")
    )
