"""What a rule is: a small class that looks at a catalog and says what it does not like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AliasChoices, BaseModel, ConfigDict

from confiture_tui.core.catalog.reading.bulk import assembler
from confiture_tui.core.lint.model import Category, Fix, Severity, Violation, key_of

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation


_violation = assembler(Violation)


class RuleOptions(BaseModel):
    """The options of a rule; the base, for rules without any. Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """What the options may be called in settings: the fields, and other names that they have."""
        others = [field.validation_alias for field in cls.model_fields.values()]
        return (
            *cls.model_fields,
            *(name for one in others if isinstance(one, AliasChoices) for name in one.choices if isinstance(name, str)),
        )


class LintRule(ABC):
    """One rule. A subclass says what it is in class attributes, and judges in ``check``.

    Rules are pure functions of the catalog and their options: they read nothing else and change nothing.

    Attributes:
        id: kebab case, unique among all rules.
        category: what it is about.
        severity: of its violations, unless the settings say otherwise.
        title: one line that says what is wrong where it finds something.
        why: why that matters and what to do, for the documentation.
        options: the model of its options.
        enabled: whether it runs unless the settings say otherwise.
        reads: what it needs that not every role may read, in the words of ``NotVisible.what``.
        needs_statistics: it judges sizes, ages or traffic, which only the live database has.
        bad: SQL that makes a schema in which it finds something; every good rule has a test of it.
        good: SQL that makes a schema in which it finds nothing.
        example: the options that ``bad`` and ``good`` are meant for, as YAML in one line.
    """

    id: ClassVar[str]
    category: ClassVar[Category | str]
    severity: ClassVar[Severity]
    title: ClassVar[str]
    why: ClassVar[str]
    options: ClassVar[type[RuleOptions]] = RuleOptions
    enabled: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = frozenset()
    needs_statistics: ClassVar[bool] = False
    bad: ClassVar[str] = ""
    good: ClassVar[str] = ""
    example: ClassVar[str] = ""

    @abstractmethod
    def check(self, catalog: Catalog, options: Any) -> Iterable[Violation]:
        """What is wrong in this catalog.

        Args:
            catalog: the snapshot to judge.
            options: an instance of the rule's own model of options.
        """

    def violation(
        self,
        kind: str,
        name: str,
        message: str,
        *,
        schema: str,
        relation: str | None = None,
        detail: str = "",
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Violation:
        """A violation of this rule; ``severity``: where it differs from the rule's own."""
        return _violation(
            rule=self.id,
            category=str(self.category),
            severity=severity or self.severity,
            object=name,
            kind=kind,
            relation=relation,
            schema_name=schema,
            message=message,
            detail=detail,
            fix=fix,
            key=key_of(self.id, kind, name, detail),
        )

    def on(
        self,
        relation: Relation,
        message: str,
        *,
        detail: str = "",
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Violation:
        """A violation by a table or view itself."""
        return self.violation(
            relation.kind.value,
            relation.qualified_name,
            message,
            schema=relation.schema,
            relation=relation.qualified_name,
            detail=detail,
            fix=fix,
            severity=severity,
        )

    def within(
        self,
        relation: Relation,
        kind: str,
        name: str,
        message: str,
        *,
        detail: str = "",
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Violation:
        """A violation by what belongs to a table or view: a column, an index, a constraint, …"""
        return self.violation(
            kind,
            name,
            message,
            schema=relation.schema,
            relation=relation.qualified_name,
            detail=detail,
            fix=fix,
            severity=severity,
        )
