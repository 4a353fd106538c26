"""What hangs on a table: triggers, rules, policies; and event triggers, which hang on the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger of a table or view, other than the internal ones that foreign keys make.

    The state of those is told by their constraint, ``Constraint.disabled_triggers``.

    Attributes:
        relation: qualified name of its relation.
        definition: as pg_get_triggerdef writes it.
        enabled: ``origin`` (the ordinary state), ``disabled``, ``replica`` or ``always``.
        function: qualified name of the function, quoted, without arguments; ``function_oid`` its oid.
        constraint_oid: of a constraint trigger; 0 without. ``parent_oid``: the partitioned table's; 0 without.
        comment: ``None`` without one.
    """

    oid: int
    relation: str
    name: str
    quoted_name: str
    definition: str
    enabled: str
    function: str
    function_oid: int
    constraint_oid: int
    parent_oid: int
    comment: str | None

    @property
    def qualified_name(self) -> str:
        """``schema.table.trigger``, quoted."""
        return f"{self.relation}.{self.quoted_name}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rewrite rule, other than the rule that makes a view a view. ``definition`` as pg_get_ruledef writes it."""

    oid: int
    relation: str
    name: str
    quoted_name: str
    definition: str
    enabled: str
    comment: str | None

    @property
    def qualified_name(self) -> str:
        """``schema.table.rule``, quoted."""
        return f"{self.relation}.{self.quoted_name}"


@dataclass(frozen=True, slots=True)
class Policy:
    """One row security policy.

    Attributes:
        command: ``ALL``, ``SELECT``, ``INSERT``, ``UPDATE`` or ``DELETE``.
        permissive: or restrictive.
        roles: role names, sorted; the empty string is PUBLIC.
        using, with_check: expressions; ``None`` without.
    """

    oid: int
    relation: str
    name: str
    quoted_name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    with_check: str | None
    comment: str | None

    @property
    def qualified_name(self) -> str:
        """``schema.table.policy``, quoted."""
        return f"{self.relation}.{self.quoted_name}"


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """One event trigger of the database; ``tags`` sorted, empty for every command."""

    oid: int
    name: str
    quoted_name: str
    event: str
    tags: tuple[str, ...]
    function: str
    function_oid: int
    enabled: str
    owner: str
    comment: str | None
    extension: str | None
