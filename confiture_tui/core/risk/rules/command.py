"""Rules about one sub-command of ALTER TABLE."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.records import changed
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.facts import blocking, facts, works

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Lock, Simulation, Work
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


_EMPTY: Node = MappingProxyType({})


class Command(NamedTuple):
    """One sub-command, with what it needs and does.

    Attributes:
        forecast: of the whole statement.
        position: 0-based, among the sub-commands.
        node: the fields of AlterTableCmd. ``subtype``: ``AT_AddColumn``, …
        table: qualified name of the relation that is altered.
    """

    forecast: Forecast
    position: int
    node: Node
    subtype: str
    table: str

    @property
    def name(self) -> str:
        """The column, constraint or other thing that it names; empty without."""
        return str(self.node.get("name", ""))

    @property
    def column(self) -> Node:
        """The fields of the column definition; empty without."""
        found: Node = self.node.get("def", _EMPTY).get("ColumnDef", _EMPTY)
        return found

    @property
    def constraint(self) -> Node:
        """The fields of the constraint; empty without."""
        found: Node = self.node.get("def", _EMPTY).get("Constraint", _EMPTY)
        return found

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The blocking locks that it takes."""
        return blocking(self.forecast, self.position)

    def works(self, *kinds: Any) -> tuple[Work, ...]:
        """Its work of these kinds.

        Sub-commands share one pass over the table, which is told as the work of the first that needs it: the others
        that need it too are given it as well.
        """
        own = works(self.forecast, kinds, self.position) if kinds else works(self.forecast, command=self.position)
        if own or len((self.forecast.statement.node or {}).get("cmds", ())) == 1:
            return own
        if (kinds and WorkKind.SCAN not in kinds) or not self._checks_rows():
            return ()
        shared = works(self.forecast, {WorkKind.SCAN, WorkKind.REWRITE})
        return tuple(work for work in shared if work.relation == self.table)[:1]

    def _checks_rows(self) -> bool:
        """Whether it is one of those that look at every row, and nothing known proves that it need not."""
        relation = self.forecast.before.find(self.table).relation
        if self.subtype == "AT_SetNotNull":
            if relation is None:
                return True
            column = relation.column(self.name)
            proved = any(one.validated and self.name in one.columns for one in relation.constraints)
            return column is not None and not column.not_null and not proved
        if self.subtype != "AT_AddConstraint" or self.constraint.get("skip_validation"):
            return False
        checks = self.constraint.get("contype") in ("CONSTR_CHECK", "CONSTR_FOREIGN")
        return checks and bool(self.constraint.get("is_enforced", True))

    def evidence(self, context: RuleContext, work: Iterable[Work] | None = None) -> tuple[str, ...]:
        """Its locks and work as sentences."""
        done = self.works() if work is None else tuple(work)
        return facts(self.forecast, context, locks=self.locks, work=done)


class CommandRule(RiskRule):
    """A rule about one sub-command of ALTER TABLE at a time, of those among its ``subtypes``."""

    nodes = frozenset({"AlterTableStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """The risks of every sub-command that the rule looks at."""
        commands = context.of_migration(_commands)[forecast.statement.index]
        for command in commands:
            if command.subtype in self.subtypes:
                risks = self.check_command(command, context)
                yield from risks if len(commands) == 1 else map(_for_one_of_several, risks)

    @abstractmethod
    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """The risks of one sub-command."""


def _commands(simulation: Simulation) -> Mapping[int, tuple[Command, ...]]:
    """The sub-commands of each ALTER TABLE, by the statement's index."""
    return {
        forecast.statement.index: tuple(_commands_of(forecast))
        for forecast in simulation.forecasts
        if forecast.statement.node_kind == "AlterTableStmt"
    }


def _commands_of(forecast: Forecast) -> Iterator[Command]:
    node = forecast.statement.node or {}
    table = forecast.before.name_of(node["relation"])
    for position, one in enumerate(node.get("cmds", ())):
        command = one.get("AlterTableCmd", {})
        yield Command(forecast, position, command, command.get("subtype", ""), table)


def _for_one_of_several(risk: Risk) -> Risk:
    """The risk, with a safe rewrite that says of which sub-command it speaks."""
    if risk.safe_sql is None:
        return risk
    note = "-- In place of this sub-command alone: the others of the statement stay as they are."
    return changed(risk, safe_sql=f"{note}\n\n{risk.safe_sql}")


def constraints_of(column: Node, *kinds: str) -> tuple[Node, ...]:
    """The inline constraints of a column definition, of these ``contype``s."""
    listed = column.get("constraints")
    if not listed:
        return ()
    found = (one.get("Constraint", {}) for one in listed)
    return tuple(one for one in found if one.get("contype") in kinds)
