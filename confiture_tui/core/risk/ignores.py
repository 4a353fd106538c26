"""Consent in the file: ``-- risk: ignore rule, rule: reason``, and squawk's ``-- squawk-ignore rule``."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from confiture_tui.core.sql.lexical import QUOTED, comment_end, dollar_quote_end
from confiture_tui.core.sql.statement import PieceKind

if TYPE_CHECKING:
    from confiture_tui.core.sql.script import Script

_RULE: Final = r"[A-Za-z][A-Za-z0-9-]*"
_OURS: Final = re.compile(rf"risk:\s*ignore\s+(?P<rules>{_RULE}(?:\s*,\s*{_RULE})*)\s*(?::\s*(?P<reason>.*))?$", re.S)
_SQUAWK: Final = re.compile(
    rf"squawk-ignore(?P<file>-file)?\s+(?P<rules>{_RULE}(?:\s*,\s*{_RULE})*)\s*(?P<reason>.*)$", re.S
)

SQUAWK_RULES: Final = {
    "adding-field-with-default": ("add-column-volatile-default", "add-column-stored-generated"),
    "adding-foreign-key-constraint": ("add-foreign-key-without-not-valid", "add-column-inline-reference"),
    "adding-not-nullable-field": ("set-not-null-scan",),
    "adding-required-field": ("add-required-column",),
    "adding-serial-primary-key-field": ("add-column-auto-increment", "add-primary-key-without-index"),
    "ban-add-composite-attribute": ("alter-type-hits-tables",),
    "ban-add-enum-value": ("add-enum-value",),
    "ban-alter-domain-with-add-constraint": ("domain-constraint-scan",),
    "ban-alter-extension": ("extension-change",),
    "ban-alter-generated-expression": ("set-generated-expression",),
    "ban-alter-row-level-security": ("rls-off", "rls-enabled-without-policy"),
    "ban-alter-sequence-values": ("sequence-reset-or-drop",),
    "ban-concurrent-index-creation-in-transaction": ("concurrently-in-transaction",),
    "ban-create-domain-with-constraint": ("add-column-constrained-domain",),
    "ban-create-policy": ("policy-change",),
    "ban-disable-trigger": ("disable-trigger",),
    "ban-drop-column": ("drop-column",),
    "ban-drop-constraint": ("drop-constraint",),
    "ban-drop-database": ("drop-database",),
    "ban-drop-default": ("drop-default",),
    "ban-drop-domain": ("drop-cascades-to-columns",),
    "ban-drop-extension": ("extension-change", "drop-cascades-to-columns"),
    "ban-drop-function": ("drop-function",),
    "ban-drop-not-null": ("drop-not-null",),
    "ban-drop-schema": ("drop-schema",),
    "ban-drop-sequence": ("sequence-reset-or-drop",),
    "ban-drop-table": ("drop-table",),
    "ban-drop-type": ("drop-cascades-to-columns",),
    "ban-drop-view": ("drop-view",),
    "ban-new-write-restriction": ("new-write-restriction",),
    "ban-replace-view-function": ("replace-view-or-function",),
    "ban-replica-identity": ("replica-identity-change",),
    "ban-revoke": ("grant-or-revoke",),
    "ban-set-default": ("set-default",),
    "ban-truncate-cascade": ("truncate-cascade", "truncate"),
    "ban-uncommitted-transaction": ("transaction-control-in-migration",),
    "changing-column-type": ("change-type-rewrite", "change-type-reindex", "change-type-lossy"),
    "constraint-missing-not-valid": ("add-check-without-not-valid", "validate-in-same-transaction"),
    "disallowed-unique-constraint": ("add-unique-without-index", "add-column-inline-unique"),
    "prefer-repack": ("vacuum-full-or-cluster",),
    "prefer-robust-stmts": ("not-rerunnable",),
    "renaming-column": ("rename-column",),
    "renaming-object": ("rename-other",),
    "renaming-table": ("rename-table",),
    "require-concurrent-index-creation": ("create-index-not-concurrent",),
    "require-concurrent-index-deletion": ("drop-index-not-concurrent",),
    "require-concurrent-partition-detach": ("detach-partition-not-concurrent",),
    "require-concurrent-reindex": ("reindex-not-concurrent",),
    "require-lock-timeout": ("missing-lock-timeout",),
    "require-statement-timeout": ("missing-statement-timeout",),
    "require-timeout-settings": ("missing-lock-timeout", "missing-statement-timeout"),
    "transaction-nesting": ("transaction-control-in-migration",),
}
"""squawk's names for rules of ours (version 2.70, its documentation)."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """One rule that a comment tells to pass over.

    Attributes:
        rule: as the comment names it. ``rules``: ours that it stands for.
        statement: 1-based index of the statement; ``None`` for all of the file.
        line: 1-based line of the comment.
        reason: what the comment says; ``None`` where it says nothing.
        foreign: it is squawk's, whose unused ones are its own business.
    """

    rule: str
    rules: frozenset[str]
    statement: int | None
    line: int
    reason: str | None
    foreign: bool


def ignores_of(script: Script) -> tuple[Ignore, ...]:
    """The consents of a script.

    A comment speaks of the statement that it stands before, in, or on the last line of.
    """
    if "ignore" not in script.text:
        return ()
    found: list[Ignore] = []
    starts = [each.offset for each in script.statements]
    ends = [each.offset + len(each.sql) for each in script.statements]
    for start, text in _comments(script):
        ours = _OURS.match(text)
        squawk = None if ours else _SQUAWK.match(text)
        match = ours or squawk
        if match is None or not starts:
            continue
        whole = bool(squawk and squawk["file"])
        line = script.first_line + script.text.count("\n", 0, start)
        statement = None if whole else _statement_at(script.text, start, starts, ends)
        for name in re.findall(_RULE, match["rules"]):
            rules = frozenset(SQUAWK_RULES.get(name, (name,)) if squawk else (name,))
            reason = (match["reason"] or "").strip() or None
            found.append(Ignore(name, rules, statement, line, reason, foreign=squawk is not None))
    return tuple(found)


def _statement_at(text: str, position: int, starts: list[int], ends: list[int]) -> int:
    before = bisect_right(starts, position) - 1
    if before >= 0 and (position < ends[before] or "\n" not in text[ends[before] : position]):
        return before + 1
    return min(before + 1, len(starts) - 1) + 1


def _comments(script: Script) -> Iterator[tuple[int, str]]:
    """The comments of a script, outside of strings: offset, and text without its marks and outer white space."""
    for piece in script.pieces:
        if piece.kind not in (PieceKind.SQL, PieceKind.BLANK) or "ignore" not in piece.text:
            continue
        text, position, stop = piece.text, 0, len(piece.text)
        while position < stop:
            mark = _INTERESTING.search(text, position)
            if mark is None:
                break
            position = mark.start()
            if end := comment_end(text, position, stop):
                inner = (
                    text[position + 2 : end].removesuffix("*/") if text[position] == "/" else text[position + 2 : end]
                )
                yield piece.offset + position, inner.strip()
            else:
                quoted = QUOTED.match(text, position)
                end = quoted.end() if quoted else dollar_quote_end(text, position, stop)
            position = end or position + 1


_INTERESTING: Final = re.compile(r"--|/\*|['\"$]|[eE]'")
