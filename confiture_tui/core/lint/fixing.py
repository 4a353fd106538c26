"""Turns the fixes of violations into migrations: files of a project, never statements for a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from confiture_tui.core.lint.model import Fix, Safety, Violation

_STAMP = re.compile(r"20\d{12}")
_RENAMES = re.compile(r"\A(?:--.*\n)*ALTER [A-Z ]+ \S.* RENAME (?:COLUMN |CONSTRAINT )?(?:\S.* )?TO ", re.DOTALL)
NOTHING_BACK = "-- Nothing is to be taken back.\nSELECT 1;\n"


@dataclass(frozen=True, slots=True)
class FixMigration:
    """One migration to be written: its version and name, its SQL there and back."""

    version: str
    name: str
    up: str
    down: str


@dataclass(frozen=True, slots=True)
class FixPlan:
    """What is to be written.

    Attributes:
        migrations: in the order in which they are to be applied.
        fixed: the violations that they mend.
        left: those with a fix that has to wait, because another one changes the same object.
    """

    migrations: tuple[FixMigration, ...]
    fixed: tuple[Violation, ...]
    left: tuple[Violation, ...]


def plan_fixes(violations: Iterable[Violation], *, after: Sequence[str], review: bool, now: datetime) -> FixPlan:
    """The migrations that mend violations.

    What needs a transaction of its own gets a migration of its own; the rest is put together, step by step.

    Args:
        violations: what is to be mended; those without a fix are passed over.
        after: the versions that there are already, in order.
        review: also take fixes that are to be reviewed, which may break clients or rewrite tables.
        now: for versions that are times.
    """
    chosen, left = _chosen(violations, review=review)
    groups: dict[tuple[int, bool], list[tuple[Violation, str, str]]] = {}
    for violation, fix in chosen:
        for number, step in enumerate(fix.steps):
            groups.setdefault((number, not step.transactional), []).append((violation, step.up, step.down))
    migrations: list[FixMigration] = []
    versions = list(after)
    for place, (_, parts) in enumerate(sorted(groups.items()), 1):
        name = "lint_fixes" if len(groups) == 1 else f"lint_fixes_{place}"
        versions.append(next_version(versions, now))
        migrations.append(FixMigration(versions[-1], name, _up(parts), _down(parts)))
    return FixPlan(tuple(migrations), tuple(violation for violation, _ in chosen), tuple(left))


def next_version(versions: Sequence[str], now: datetime) -> str:
    """The version after these, of their form: so many digits, or a time."""
    numbers = [version for version in versions if version.isascii() and version.isdigit()]
    last = max(numbers, key=lambda version: (len(version), version), default="000")
    if _STAMP.fullmatch(last):
        return max(f"{now:%Y%m%d%H%M%S}", str(int(last) + 1))
    return str(int(last) + 1).zfill(len(last))


def _chosen(violations: Iterable[Violation], *, review: bool) -> tuple[list[tuple[Violation, Fix]], list[Violation]]:
    """The fixes that can be made together: of one object only those of one rule, and a new name only by itself."""
    wanted = (Safety.SAFE, Safety.REVIEW) if review else (Safety.SAFE,)
    having = [(one, one.fix) for one in violations if one.fix is not None and one.fix.safety in wanted]
    # What is renamed could not be found by the others: it waits.
    having.sort(key=lambda pair: _is_rename(pair[1]))
    rule_of: dict[str, str] = {}
    touched: set[str] = set()
    seen: set[str] = set()
    chosen: list[tuple[Violation, Fix]] = []
    left: list[Violation] = []
    for violation, fix in having:
        if fix.sql in seen:
            chosen.append((violation, Fix(steps=(), safety=fix.safety)))
            continue
        relation = violation.relation or violation.object
        clashes = rule_of.setdefault(violation.object, violation.rule) != violation.rule
        if clashes or (_is_rename(fix) and relation in touched):
            left.append(violation)
            continue
        seen.add(fix.sql)
        touched.add(relation)
        chosen.append((violation, fix))
    return chosen, left


def _is_rename(fix: Fix) -> bool:
    return any(_RENAMES.match(step.up) for step in fix.steps)


def _up(parts: Sequence[tuple[Violation, str, str]]) -> str:
    return "\n".join(f"-- {_line(violation.rule)}: {_line(violation.message)}\n{up}" for violation, up, _ in parts)


def _down(parts: Sequence[tuple[Violation, str, str]]) -> str:
    return "\n".join(down for _, _, down in reversed(parts) if down) or NOTHING_BACK


def _line(text: str) -> str:
    """Text that cannot end its comment."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
