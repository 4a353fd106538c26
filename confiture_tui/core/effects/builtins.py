"""PostgreSQL's own types, casts, operators and functions, as its system catalogs list them.

The tables under ``data`` were read from servers of majors 14 to 18 by ``tests/support/builtins.py``; they are loaded
when first asked for. Types are named as ``format_type`` writes them without a modifier (``integer``,
``timestamp with time zone``), arrays with ``[]``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from confiture_tui.core.catalog.models.columns import Volatility

_DATA = Path(__file__).with_name("data")
_VOLATILITIES = {"i": Volatility.IMMUTABLE, "s": Volatility.STABLE, "v": Volatility.VOLATILE}

FIRST_MAJOR, LAST_MAJOR = 14, 18
"""The majors that the tables were read from."""


class CastContext(StrEnum):
    """Where a cast applies without being asked for (``pg_cast.castcontext``)."""

    IMPLICIT = "implicit"
    """Everywhere."""
    ASSIGNMENT = "assignment"
    """When a value is stored in a column."""
    EXPLICIT = "explicit"
    """Nowhere."""


class CastMethod(StrEnum):
    """How a cast is carried out (``pg_cast.castmethod``)."""

    FUNCTION = "function"
    BINARY = "binary"
    """Not at all: the stored bytes are the same."""
    INOUT = "inout"
    """By way of the text."""


_CONTEXTS = {"i": CastContext.IMPLICIT, "a": CastContext.ASSIGNMENT, "e": CastContext.EXPLICIT}
_METHODS = {"f": CastMethod.FUNCTION, "b": CastMethod.BINARY, "i": CastMethod.INOUT}


@dataclass(frozen=True, slots=True)
class BuiltinType:
    """A type of PostgreSQL's own.

    Attributes:
        name: as ``format_type`` writes it; ``internal_name`` is ``typname``.
        category, preferred: as overloads are chosen by (``pg_type.typcategory``, ``typispreferred``).
        kind: ``pg_type.typtype``: ``b`` base, ``r`` range, ``m`` multirange, ``p`` pseudo-type, …
        element: element type of an array. ``subtype``: of a range or multirange.
        input_volatility, output_volatility: of its conversion from and to text.
    """

    name: str
    internal_name: str
    category: str
    preferred: bool
    kind: str
    element: str | None
    subtype: str | None
    input_volatility: Volatility
    output_volatility: Volatility


@dataclass(frozen=True, slots=True)
class Cast:
    """A cast between two types; ``volatility`` of the function that carries it out."""

    source: str
    target: str
    context: CastContext
    method: CastMethod
    volatility: Volatility


@dataclass(frozen=True, slots=True)
class OperatorClass:
    """An operator class of an access method: its name, the type that it is for, whether it is that type's default."""

    name: str
    type: str
    default: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function or operator that may be meant by a call.

    Attributes:
        name: without schema for PostgreSQL's own; qualified for a user's.
        arguments: types of the input arguments. ``result``: its type.
        defaults: how many of the last arguments may be left out.
        variadic: the last argument, an array, takes any number of elements.
        strict: NULL for a NULL argument. ``set_returning``, ``aggregate``, ``window``: as they are called.
        argument_names: of the input arguments, where they have one.
        oid: of a user's routine; 0 for PostgreSQL's own.
    """

    name: str
    arguments: tuple[str, ...]
    result: str
    volatility: Volatility
    strict: bool = False
    set_returning: bool = False
    aggregate: bool = False
    window: bool = False
    defaults: int = 0
    variadic: bool = False
    argument_names: tuple[str, ...] = ()
    oid: int = 0


def table_rows(table: str, major: int | None) -> Iterator[list[str]]:
    """The lines of a table that hold for this major; of all majors without one."""
    for line in (_DATA / f"{table}.tsv").read_text(encoding="utf-8").splitlines():
        *fields, since, until = line.split("\t")
        if major is None or int(since or FIRST_MAJOR) <= major <= int(until or LAST_MAJOR):
            yield fields


@cache
def _internal_names() -> dict[str, str]:
    """From ``typname`` to the name that ``format_type`` writes."""
    return {fields[0]: fields[1] for fields in table_rows("types", None)}


class Builtins:
    """The tables of one major; see ``builtins_of``."""

    def __init__(self, major: int | None) -> None:
        names = _internal_names()
        self.major = major
        self.types: dict[str, BuiltinType] = {}
        self.by_internal_name: dict[str, BuiltinType] = {}
        for internal, name, category, preferred, kind, element, subtype, reads, writes in table_rows("types", major):
            found = BuiltinType(
                name,
                internal,
                category,
                preferred == "p",
                kind,
                names.get(element),
                names.get(subtype),
                _VOLATILITIES[reads],
                _VOLATILITIES[writes],
            )
            self.types.setdefault(name, found)
            self.by_internal_name.setdefault(internal, found)
        self.casts: dict[tuple[str, str], Cast] = {}
        for source, target, context, method, volatility in table_rows("casts", major):
            key = names[source], names[target]
            self.casts[key] = Cast(*key, _CONTEXTS[context], _METHODS[method], _VOLATILITIES[volatility])
        classes: defaultdict[str, list[OperatorClass]] = defaultdict(list)
        for access_method, name, kind, default in table_rows("operator_classes", major):
            classes[access_method].append(OperatorClass(name, names.get(kind, kind), default == "d"))
        self.operator_classes = {one: tuple(found) for one, found in classes.items()}
        self._functions: defaultdict[str, list[list[str]]] = defaultdict(list)
        for fields in table_rows("functions", major):
            self._functions[fields[0]].append(fields)
        self._operators: defaultdict[str, list[list[str]]] = defaultdict(list)
        for fields in table_rows("operators", major):
            self._operators[fields[0]].append(fields)
        self._made_functions: dict[str, tuple[Candidate, ...]] = {}
        self._made_operators: dict[str, tuple[Candidate, ...]] = {}

    def functions(self, name: str) -> tuple[Candidate, ...]:
        """All overloads of a function of pg_catalog; empty when there is none."""
        made = self._made_functions.get(name)
        if made is None:
            made = tuple(self._function(fields) for fields in self._functions.get(name, ()))
            self._made_functions[name] = made
        return made

    def operators(self, name: str) -> tuple[Candidate, ...]:
        """All operators of this name, those with one operand with one argument."""
        made = self._made_operators.get(name)
        if made is None:
            names = _internal_names()
            made = tuple(
                Candidate(
                    name,
                    tuple(names[one] for one in (left, right) if one),
                    names[result],
                    _VOLATILITIES[volatility],
                    strict=strict == "s",
                )
                for _name, left, right, result, volatility, strict in self._operators.get(name, ())
            )
            self._made_operators[name] = made
        return made

    @staticmethod
    def _function(fields: list[str]) -> Candidate:
        name, arguments, result, volatility, flags, defaults = fields
        names = _internal_names()
        return Candidate(
            name,
            tuple(names.get(one, one) for one in arguments.split(",")) if arguments else (),
            names.get(result, result),
            _VOLATILITIES[volatility],
            strict="s" in flags,
            set_returning="r" in flags,
            aggregate="a" in flags,
            window="w" in flags,
            variadic="v" in flags,
            defaults=int(defaults),
        )


@cache
def _of_major(major: int | None) -> Builtins:
    return Builtins(major)


@lru_cache(maxsize=64)
def builtins_of(server_version_num: int | None) -> Builtins:
    """The tables of a server's major; of all majors together where the server is not known.

    A server newer than the newest major that was read is taken to be like that one, and an older one likewise.
    """
    if server_version_num is None:
        return _of_major(None)
    return _of_major(min(max(server_version_num // 10000, FIRST_MAJOR), LAST_MAJOR))
