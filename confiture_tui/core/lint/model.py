"""What linting says: violations with stable keys, what was checked, what was not, and what was let pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from confiture_tui.core.baselines import identity
from confiture_tui.core.effects.model import FrozenModel


class Severity(StrEnum):
    """How much a violation matters. The words are a public contract."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for ``info``, 2 for ``error``."""
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


class Category(StrEnum):
    """What a rule is about."""

    NAMING = "naming"
    INTEGRITY = "integrity"
    DOCUMENTATION = "documentation"
    TENANCY = "tenancy"
    PERFORMANCE = "performance"
    SECURITY = "security"
    CAPACITY = "capacity"
    TYPES = "types"
    DESIGN = "design"
    DURABILITY = "durability"
    PARTITIONING = "partitioning"
    HEALTH = "health"
    HYGIENE = "hygiene"


class Safety(StrEnum):
    """What may be done with a fix."""

    SAFE = "safe"
    """It changes nothing that a client could notice, and blocks nobody for long."""
    REVIEW = "review"
    """It is right as SQL, and may break clients, rewrite a table or be refused by the rows."""
    MANUAL = "manual"
    """It holds text that a person must write, or mends this one database only: nothing for a migration."""


_STRICT = ConfigDict(extra="forbid")
# What there are tens of thousands of in a large schema is a slotted dataclass: a pydantic model takes ten times as long
# to make. Read from JSON, inside of a report, it is validated like one.


@dataclass(frozen=True, slots=True, kw_only=True)
class FixStep:
    """One part of a fix, with its way back: whole statements, each ended by a semicolon and a newline.

    Attributes:
        up: what to run.
        down: what takes it back; empty when nothing does.
        transactional: whether it may run in a transaction; false for the likes of CREATE INDEX CONCURRENTLY.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    up: str
    down: str = ""
    transactional: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """The SQL that mends one violation.

    Attributes:
        steps: in order; each is to be committed before the next one begins.
        safety: what may be done with it.
        note: what its reader must know, one sentence or two; may be empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    steps: tuple[FixStep, ...]
    safety: Safety
    note: str = ""

    @property
    def sql(self) -> str:
        """All steps as one script, told apart by comments where there are several."""
        lead = "".join(f"-- {line}\n" for line in self.note.splitlines())
        if len(self.steps) == 1:
            return lead + self.steps[0].up
        parts = (f"-- Step {number}, to be committed on its own:\n{one.up}" for number, one in enumerate(self.steps, 1))
        return lead + "".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that a rule does not like.

    Attributes:
        rule: the rule's id.
        category: the rule's.
        severity: how much it matters, as the rule or the settings have it.
        object: the object concerned, ``schema.table[.column]``, quoted as ``quote_ident`` does.
        kind: the object's kind in PostgreSQL's words: ``table``, ``column``, ``index``, …
        relation: the table or view it belongs to, or is; ``None`` for what belongs to none.
        schema_name: the schema it is in, as stored; empty for what is in none.
        message: what is wrong, one or two sentences. It holds names from the database.
        detail: what tells several violations of one rule on one object apart; part of the key.
        fix: the SQL that mends it, where there is one.
        key: the violation's identity; see ``key_of``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    rule: str
    category: str
    severity: Severity
    object: str
    kind: str
    relation: str | None
    schema_name: str
    message: str
    detail: str = ""
    fix: Fix | None = None
    key: str


def key_of(rule: str, kind: str, name: str, detail: str = "") -> str:
    """The identity of a violation, for baselines and comparisons: 32 hexadecimal digits.

    It rests on the rule, the object's kind and name and the detail alone: neither the message, nor the severity, nor
    another object's name changes it.
    """
    return identity(rule, kind, name, detail)


def worst_first(violation: Violation) -> tuple[int, str, str, str]:
    """A sort key: by severity, then by rule and object."""
    return -_RANKS[violation.severity], violation.rule, violation.object, violation.detail


class Skipped(FrozenModel):
    """A rule that could not look at all it should, and why; ``objects``: at which, empty for any at all."""

    rule: str
    why: str
    objects: tuple[str, ...] = ()


class Suppressed(FrozenModel):
    """A violation that is not reported, and what lets it pass.

    Attributes:
        violation: what was found.
        by: an exemption of the settings, a tag in the object's comment, or the baseline.
        reason: what they give as the reason; may be empty.
    """

    violation: Violation
    by: Literal["exemption", "comment", "baseline"]
    reason: str = ""


class LintReport(FrozenModel):
    """What ``SchemaLinter.run`` found.

    Attributes:
        violations: the worst first, then by object.
        checked: how many objects of each kind were looked at: ``tables``, ``columns``, ``indexes``, …
        rules: ids of the rules that ran.
        skipped: rules that could not look at everything.
        suppressed: what was found and let pass.
        gone: keys of the baseline that are found no more.
        notes: what is to be said of the settings: exemptions that expired or match nothing, unknown tags.
    """

    violations: tuple[Violation, ...] = ()
    checked: dict[str, int] = Field(default_factory=dict)
    rules: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def counts(self) -> dict[Severity, int]:
        """How many violations there are of each severity, the worst first."""
        found = [violation.severity for violation in self.violations]
        return {severity: found.count(severity) for severity in reversed(Severity)}

    def at_least(self, severity: Severity) -> tuple[Violation, ...]:
        """The violations of this severity or a worse one."""
        return tuple(one for one in self.violations if one.severity.rank >= severity.rank)
