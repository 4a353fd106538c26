"""Literals in quotes: which texts a type is certain not to accept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from confiture_tui.core.effects.type_names import TypeRef, base_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Schema

Refusal = tuple[str, str]
"""SQLSTATE and message."""

_WHOLE = frozenset({"smallint", "integer", "bigint"})
_WHOLE_TEXT = re.compile(r"\s*[+-]?(\d[\d_]*|0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)\s*")
_UUID = re.compile(r"\s*\{?[0-9a-fA-F]{4}(-?[0-9a-fA-F]{4}){7}\}?\s*")
_BOOLEAN = re.compile(r"\s*(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0)\s*", re.IGNORECASE)


_TIMES = frozenset({"date", *(f"timestamp {zone} time zone" for zone in ("with", "without"))})
_TIME = re.compile(r"\d|now|today|tomorrow|yesterday|epoch|infinity|allballs", re.IGNORECASE)
_INEXACT = frozenset({"numeric", "real", "double precision"})
_NUMBER = re.compile(r"\d|nan|inf", re.IGNORECASE)
# What a text must have in it to be a time, or a number.


def _is_no_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return True
    except RecursionError:
        return False  # too deep to be told
    return False


def unreadable(kind: TypeRef, text: str, schema: Schema) -> Refusal | None:
    """Why a type does not accept a literal in quotes, as far as that is plain; ``None`` where it may."""
    if kind.is_array:
        # Bounds in brackets may come first: array_in (src/backend/utils/adt/arrayfuncs.c).
        plain = text.strip().startswith(("{", "[")) and text.strip().endswith("}")
        return None if plain else ("22P02", f'malformed array literal: "{text}"')
    name = base_type(kind.bare, schema)
    if name in _WHOLE:
        if not _WHOLE_TEXT.fullmatch(text):
            return "22P02", f'invalid input syntax for type {name}: "{text}"'
        return None
    if name == "uuid" and not _UUID.fullmatch(text):
        return "22P02", f'invalid input syntax for type uuid: "{text}"'
    if name == "boolean" and not _BOOLEAN.fullmatch(text):
        return "22P02", f'invalid input syntax for type boolean: "{text}"'
    if name in ("json", "jsonb") and _is_no_json(text):
        return "22P02", "invalid input syntax for type json"
    if name in _TIMES and not _TIME.search(text):
        return "22007", f'invalid input syntax for type {name}: "{text}"'
    if name in _INEXACT and not _NUMBER.search(text):
        return "22P02", f'invalid input syntax for type {name}: "{text}"'
    if kind.name in ("character varying", "character") and kind.numbers and len(text.rstrip(" ")) > kind.numbers[0]:
        return "22001", f"value too long for type {kind}"
    return None
