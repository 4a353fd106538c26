"""What a rule is, and what it may ask.

A rule is one small class: an id, its texts, an example of each kind, and a ``check``. It turns facts (a forecast,
sizes, exposure, probes) into risks with words. How many points a risk has is, for the categories that harm is computed
for, not the rule's business: ``RiskRule.risk`` asks the context.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from confiture_tui.core.records import unchecked
from confiture_tui.core.risk.model import Category, Risk, Severity
from confiture_tui.core.risk.scoring import SECURITY_POINTS, severity_of_points

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.forecast import Forecast, Simulation, Work
    from confiture_tui.core.effects.model import DurationEstimate
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.risk.exposure import Exposure
    from confiture_tui.core.risk.now import OpenTransaction, Traffic
    from confiture_tui.core.risk.probes import ProbeResult
    from confiture_tui.core.risk.sizes import TableSize
    from confiture_tui.core.sql.statement import Statement

T = TypeVar("T")

_risk = unchecked(Risk)


class RuleContext(Protocol):
    """What a rule may ask about the migration and the database. Relations are named as in ``Lock.relation``."""

    @property
    def simulation(self) -> Simulation:
        """The simulation of the whole migration."""

    def of_migration(self, work: Callable[[Simulation], T]) -> T:
        """What a function says of the migration's simulation: it is called once, by whichever rule asks first."""

    @property
    def down(self) -> Simulation | None:
        """The simulation of its way back, on what it leaves; ``None`` without one, or where that cannot be told."""

    @property
    def catalog(self) -> Catalog | None:
        """The target's catalog; ``None`` without a database."""

    @property
    def profile(self) -> RunnerProfile:
        """The runner in whose name everything is judged."""

    def size_of(self, relation: str) -> TableSize:
        """How big a table is; assumed big when nothing is known of it."""

    def seconds(self, work: Work) -> DurationEstimate:
        """How long one piece of work takes (in milliseconds, as the model says)."""

    def estimate(self, forecast: Forecast) -> DurationEstimate:
        """How long a statement takes, without waiting for locks."""

    def exposures(self, forecast: Forecast) -> tuple[Exposure, ...]:
        """Which relations others wait for because of blocking locks that this statement takes first."""

    def waiting(self, relation: str) -> Traffic | None:
        """The traffic on a relation; ``None`` when nothing is known of it."""

    def open_transactions(self, relation: str) -> tuple[OpenTransaction, ...]:
        """Transactions of others that hold locks on it now; empty without a connection."""

    def probes(self, forecast: Forecast) -> tuple[ProbeResult, ...]:
        """What was asked about the data that decide whether the statement fails."""

    def lock_timeout_ms(self, forecast: Forecast) -> float | None:
        """The ``lock_timeout`` that file or runner profile set for it; ``None`` when neither does (or 0)."""

    def statement_timeout_ms(self, forecast: Forecast) -> float | None:
        """The ``statement_timeout``, likewise."""

    def rows_changed(self, forecast: Forecast) -> float:
        """Rows that the statement inserts, updates or deletes, at most; 0 for none."""

    def points(self, category: Category, forecast: Forecast | None = None, relation: str | None = None) -> int:
        """The score that the facts alone give a statement in a category, before any rule speaks.

        ``forecast`` ``None``: the worst of all statements. With ``relation``, what concerns that one only (locking).
        """


class _Described:
    """The texts of a rule.

    Attributes:
        id: in kebab case; stable. ``category``: what it endangers.
        severity: how bad it is where it is worst; for security it decides the points.
        title: a few words. ``why``: what happens and what follows; PostgreSQL's own words for its things.
        alternative: what to do instead: the default recommendation.
        setup: SQL that makes what the examples need. ``bad``: SQL in which the rule is found. ``good``: in which not.
    """

    id: ClassVar[str]
    category: ClassVar[Category]
    severity: ClassVar[Severity]
    title: ClassVar[str]
    why: ClassVar[str]
    alternative: ClassVar[str]
    bad: ClassVar[str]
    good: ClassVar[str]
    setup: ClassVar[str] = ""

    def risk(
        self,
        context: RuleContext,
        forecast: Forecast | None,
        message: str,
        *,
        evidence: Sequence[str] = (),
        recommendation: str | None = None,
        safe_sql: str | None = None,
        points: int | None = None,
        relation: str | None = None,
        category: Category | None = None,
        severity: Severity | None = None,
    ) -> Risk:
        """A risk of this rule.

        Args:
            context: as ``check`` got it.
            forecast: the statement that is to blame; ``None`` for the migration as a whole.
            message: what happens, to which object.
            evidence: the facts, one sentence each.
            recommendation: when ``alternative`` does not fit the case.
            safe_sql: the safe way, complete.
            points: when the rule knows better than the facts: compatibility 60 or 20, for instance. Left out: those
                of the security's severity, or what ``context.points`` says.
            relation: whose points are meant (locking).
            category: when another than the rule's own is endangered.
            severity: when it does not follow from the points.
        """
        category = category or self.category
        if points is None and category is Category.SECURITY:
            points = SECURITY_POINTS[severity or self.severity]
        if points is None:
            points = context.points(category, forecast, relation)
        return _risk(
            rule=self.id,
            category=category,
            severity=severity or severity_of_points(category, points),
            statement=None if forecast is None else forecast.statement.index,
            message=message,
            evidence=tuple(evidence),
            recommendation=self.alternative if recommendation is None else recommendation,
            safe_sql=safe_sql,
            points=points,
        )


class RiskRule(_Described, ABC):
    """A rule that looks at one statement at a time.

    Attributes:
        nodes: kinds of syntax-tree node that it looks at; empty for every statement, also those not parsed.
        subtypes: sub-commands of ALTER TABLE that it looks at; empty for all of them.
    """

    nodes: ClassVar[frozenset[str]] = frozenset()
    subtypes: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """The risks of this statement that the rule knows."""


class MigrationRule(_Described, ABC):
    """A rule that looks at a migration as a whole."""

    @abstractmethod
    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """The risks of the migration that the rule knows."""


_NONE: frozenset[str] = frozenset()


class Dispatch:
    """Rules by what they look at: a statement meets its own rules and no others."""

    def __init__(self, rules: Iterable[RiskRule | MigrationRule]) -> None:
        listed = tuple(rules)
        self.ids = frozenset(rule.id for rule in listed)
        self.for_migrations = tuple(rule for rule in listed if isinstance(rule, MigrationRule))
        self._for_statements = tuple(rule for rule in listed if isinstance(rule, RiskRule))
        self._known: dict[tuple[str | None, frozenset[str]], tuple[RiskRule, ...]] = {}

    def of(self, statement: Statement) -> tuple[RiskRule, ...]:
        """The rules for a statement, in the order in which they are listed."""
        kind = statement.node_kind
        subtypes = _subtypes(statement.node) if kind == "AlterTableStmt" else _NONE
        found = self._known.get((kind, subtypes))
        if found is None:
            found = tuple(rule for rule in self._for_statements if _looks_at(rule, kind, subtypes))
            self._known[kind, subtypes] = found
        return found


def _subtypes(node: Mapping[str, Any] | None) -> frozenset[str]:
    return frozenset([one.get("AlterTableCmd", {}).get("subtype", "") for one in (node or {}).get("cmds", ())])


def _looks_at(rule: RiskRule, kind: str | None, subtypes: frozenset[str]) -> bool:
    if rule.nodes and kind not in rule.nodes:
        return False
    return kind != "AlterTableStmt" or not rule.subtypes or not rule.subtypes.isdisjoint(subtypes)
