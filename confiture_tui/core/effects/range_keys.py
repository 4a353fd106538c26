"""Ranges of several columns: which of them rows may be in, whose first key columns are known or bounded.

Source: PostgreSQL documentation, CREATE TABLE, "PARTITION BY RANGE": bounds compare column by column, MINVALUE before
and MAXVALUE after every value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.effects.partition_values import NULL, datum_of, values_of
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.effects.expressions.reads import Condition

_Place = tuple[tuple[int, Any], ...]
"""A place among rows, column by column: before every value, a value, or after every value."""
_BEFORE, _AFTER = (-1, 0), (1, 0)
_Keys = tuple[tuple[str, str], ...]


class Box(NamedTuple):
    """The places between which rows lie.

    Attributes:
        keys: name and type of the first key columns, those that can be compared here.
        whole: there are no other key columns.
        spans: lowest and highest place, and whether there may be a row right at the highest.
        is_row: each span is a single row, all of whose key is known.
    """

    keys: _Keys
    whole: bool
    spans: tuple[tuple[_Place, _Place, bool], ...]
    is_row: bool

    @classmethod
    def of(cls, keys: _Keys, conditions: tuple[Condition, ...], *, whole: bool) -> Box | None:
        """What conditions say of the key; ``None``: nothing."""
        if any(
            (found := values_of(name, conditions, kind)) is not None and found[2] is not None and NULL in found[2]
            for name, kind in keys
        ):
            return cls(keys, whole, (), True)  # NULL is in no range
        prefix: _Place = ()
        for name, kind in keys:
            found = values_of(name, conditions, kind)
            if found is None:
                break
            low, high, among = found
            if among is None:
                ends = (
                    (*prefix, _BEFORE if low is None else (0, low)),
                    (*prefix, _AFTER if high is None else (0, high[0])),
                )
                return cls._between(keys, whole, *ends, excluded=high is not None and high[1])
            if len(among) != 1:
                # The server looks at each of several values by itself, without the columns that follow.
                spans = [cls._span((*prefix, (0, one)), (*prefix, (0, one)), len(keys), whole) for one in among]
                return cls(keys, whole, tuple(spans), False)
            prefix = (*prefix, (0, among[0]))
        if not prefix:
            return None
        is_row = whole and len(prefix) == len(keys)
        return cls(keys, whole, (cls._span(prefix, prefix, len(keys), whole),), is_row)

    @staticmethod
    def _span(low: _Place, high: _Place, count: int, whole: bool) -> tuple[_Place, _Place, bool]:
        width = count + (not whole)
        attained = len(high) == width
        fill = width - len(low), width - len(high)
        return (*low, *[_BEFORE] * fill[0]), (*high, *[_AFTER] * fill[1]), attained

    @classmethod
    def _between(cls, keys: _Keys, whole: bool, low: _Place, high: _Place, *, excluded: bool) -> Box:
        lowest, highest, attained = cls._span(low, high, len(keys), whole)
        if excluded and high[-1] != _AFTER:
            # Nothing that begins with the bound itself is meant.
            highest, attained = (*high, *[_BEFORE] * (len(highest) - len(high))), False
        return cls(keys, whole, ((lowest, highest, attained and high[-1] != _AFTER),), False)

    def meets(self, written: str) -> bool | None:
        """Whether rows may be in the range of that bound; ``None``: it cannot be read."""
        ends = _ends(written, self.keys, self.whole)
        if ends is None:
            return None
        lower, upper = ends
        return any(low < upper and (high > lower or (attained and high == lower)) for low, high, attained in self.spans)


@lru_cache(maxsize=4096)
def _ends(written: str, keys: _Keys, whole: bool) -> tuple[_Place, _Place] | None:
    tree = parse(f"CREATE TABLE c PARTITION OF p {written}")
    spec = {} if isinstance(tree, SyntaxProblem) else tree[1].get("partbound", {})
    found: list[_Place] = []
    for side, beyond in (("lowerdatums", _BEFORE), ("upperdatums", _AFTER)):
        datums = spec.get(side, ())
        if len(datums) < len(keys):
            return None
        place: list[tuple[int, Any]] = []
        for datum, (_name, kind) in zip(datums, keys, strict=False):
            name = datum.get("ColumnRef", {}).get("fields", [{}])[-1].get("String", {}).get("sval", "").lower()
            read = datum_of(datum, kind)
            if name in ("minvalue", "maxvalue"):
                place.append(_BEFORE if name == "minvalue" else _AFTER)
            elif isinstance(read, tuple):
                place.append((0, read[0]))
            else:
                return None
        found.append((*place, *([] if whole else [beyond])))
    return found[0], found[1]
