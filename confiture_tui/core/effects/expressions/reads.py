"""What reading a query or an expression brings to light."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.effects.expressions.conversions import worst
from confiture_tui.core.records import quickly_made

if TYPE_CHECKING:
    from confiture_tui.core.effects.builtins import Candidate
    from confiture_tui.core.effects.expressions.scope import Scope
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.schema import Found

Node = dict[str, Any]


class Comparison(Enum):
    """How a condition restricts a column."""

    EQUAL = "equal"
    AMONG = "among"
    FROM = "from"
    TO = "to"
    IS_NULL = "is null"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that every row that is read must meet.

    Attributes:
        column: of the table read.
        comparison: with what the column is compared is one of these, or ``others``.
        others: the tables whose columns it is compared with, at the same query level; empty for a constant.
        other_column: the column of the one other table.
        operator: as written.
        values: what it is compared with, where that is written plainly: texts, numbers, truth values.
    """

    column: str
    comparison: Comparison
    others: tuple[Read, ...] = ()
    other_column: str | None = None
    operator: str = "="
    values: tuple[object, ...] = ()


@dataclass(eq=False, slots=True)
class Read:
    """One mention of a table, view or sequence.

    Attributes:
        found: what its name means. ``mode``: the lock that is taken on it.
        only: its children are left alone (ONLY).
        executed: rows are really read, not only planned for.
        conditions: what the rows must meet, each of them.
        alternatives: conditions of which one must be met, one list for each OR.
        ordered_by: the column that a query with a LIMIT wants it ordered by.
        target: it is what an INSERT, UPDATE, DELETE or MERGE writes to.
        through: the view that mentions it; ``None`` for the statement itself.
        sampled: TABLESAMPLE.
        smallest: the columns of which nothing but the smallest or largest value is wanted.
        used: the columns that are named, as its item of FROM calls them. ``whole``: a star means all of them.
        rows: of rows that are no table's (VALUES, a query with LIMIT, a recursive one): at most how many there are;
            else ``None``. ``made_of``: the one table that they are made of, where it is one.
    """

    found: Found
    mode: LockMode
    only: bool = False
    executed: bool = True
    conditions: list[Condition] = field(default_factory=list)
    alternatives: list[list[Condition]] = field(default_factory=list)
    ordered_by: str | None = None
    target: bool = False
    through: str | None = None
    sampled: bool = False
    smallest: list[str] | None = None
    used: set[str] = field(default_factory=set)
    whole: bool = False
    rows: float | None = None
    made_of: Read | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, operator or cast.

    Attributes:
        name: as written, without quotes, with schema where one was written.
        candidates: what it may mean: one where that is certain. Empty: nothing that we know.
        arguments: the expressions given.
        system: it is one of PostgreSQL's own.
        maybe: it may not be run: a branch of a CASE.
        volatility: the worst of the candidates.
    """

    name: str
    candidates: tuple[Candidate, ...]
    arguments: tuple[Node, ...]
    system: bool
    maybe: bool = False
    volatility: Volatility = Volatility.IMMUTABLE


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the server would refuse to run it: a certain failure."""

    sqlstate: str
    message: str


@dataclass(slots=True)
class Facts:
    """What was found, in the order of the text.

    Attributes:
        reads: tables, views and sequences that are mentioned.
        writes: the INSERT, UPDATE, DELETE and MERGE in WITH, each as node kind and fields, with the names in force.
        calls: of functions and operators.
        problems: why the server would refuse it.
        columns: references to columns, by their parts.
        other_volatility: of all that is no call: casts, forms of SQL's own.
        unknown_calls: names of functions and types that are not known to us.
        unknown_casts: a cast is from or to a type that is not known to us, and may change its value as far as any.
        complete: all that is reached is known.
        labels: of enums that are used, each with the enum's name.
        named: the relations that are mentioned as constants, ``'t'::regclass``.
        keys: oids of the primary keys without which GROUP BY would not do.
    """

    reads: list[Read] = field(default_factory=list)
    writes: list[tuple[str, Node, Scope]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    columns: list[tuple[str, ...]] = field(default_factory=list)
    other_volatility: Volatility = Volatility.IMMUTABLE
    unknown_calls: list[str] = field(default_factory=list)
    unknown_casts: bool = False
    complete: bool = True
    labels: list[tuple[str, str]] = field(default_factory=list)
    named: list[Found] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)

    @property
    def volatility(self) -> Volatility:
        """The worst of all that is known."""
        return worst([self.other_volatility, *(call.volatility for call in self.calls)])


class Value(NamedTuple):
    """What an expression yields.

    Attributes:
        type: bare name of its type; ``unknown`` for a literal in quotes, ``None`` where it is not known to us.
        null: certainly NULL, certainly not, or perhaps (``None``).
        constant: the same for every row and at all times, and so known while the statement is planned.
        literal: the constant's text or number, where it is written plainly.
        modifier: the type's modifier where a cast gives one.
    """

    type: str | None
    null: bool | None = None
    constant: bool = False
    literal: object = None
    modifier: str = ""
