"""How tools compare versions, and what is to be said where their order is not the one that a reader expects."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from confiture_tui.core.migrations.model import Finding

_TIMESTAMP_DIGITS = 8
"""From so many digits on a version is a date: gaps say nothing, and as text dates are in order at any length."""

Key = tuple[object, ...]


class Versioned(Protocol):
    """Whatever has a version and a file."""

    @property
    def version(self) -> str:
        """What orders it."""

    @property
    def path(self) -> Path | None:
        """Its file."""


class VersionOrder(StrEnum):
    """How a tool compares versions; two versions with the same key are the same to it."""

    TEXT = "text"
    """As text: ``10`` before ``9``."""
    NUMBER = "number"
    """As numbers: ``0009`` before ``10``, and ``9`` is ``0009``."""
    DOTTED = "dotted"
    """As numbers between dots: ``1.9`` before ``1.10``, ``2.0`` is ``2``; what has no number comes last."""
    LISTED = "listed"
    """Not at all: the order is written down elsewhere."""

    def key(self, version: str) -> Key:
        """What a version is compared by."""
        match self:
            case VersionOrder.NUMBER:
                return natural_key(version)
            case VersionOrder.DOTTED:
                return _dotted_key(version)
        return (version,)


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which ``9_`` comes before ``10_``: runs of digits compare as numbers, of any length."""
    return tuple(
        (0, len(part.lstrip("0")), part.lstrip("0")) if part.isascii() and part.isdigit() else (1, 0, part)
        for part in re.findall(r"[0-9]+|[^0-9]+", text)
    )


def _dotted_key(version: str) -> Key:
    if not version[:1].isdigit():
        return (1, version)
    parts = [natural_key(part) for part in re.split(r"[._]", version)]
    while len(parts) > 1 and parts[-1] == natural_key("0"):
        parts.pop()
    return (0, *parts)


def duplicates(found: Sequence[Versioned], order: VersionOrder) -> dict[str, Finding]:
    """A finding for each version that is used more than once, by every way in which it is written."""
    same: dict[Key, list[Versioned]] = defaultdict(list)
    for one in found:
        if one.path is not None:
            same[order.key(one.version)].append(one)
    return {
        one.version: duplicate(group[0].version, [other.path for other in group if other.path is not None])
        for group in same.values()
        if len(group) > 1
        for one in group
    }


def duplicate(version: str, same: Sequence[Path]) -> Finding:
    """The finding that these files have one version; which of them is meant nobody can say."""
    return Finding(
        code="duplicate-version",
        message=f"Version {version} is used by {' and '.join(path.name for path in same)}; renumber all but one.",
        path=same[-1],
        level="error",
    )


def order_findings(found: Sequence[Versioned], order: VersionOrder) -> list[Finding]:
    """What a reader may take for something else: an order as text, numbers of several widths, numbers left out."""
    paths = {one.version: one.path for one in found}
    if order is VersionOrder.TEXT:
        findings = _text_order(paths)
    else:
        findings = _widths(paths) if order is VersionOrder.NUMBER else []
    return findings + ([] if order is VersionOrder.LISTED else _gaps(paths))


def _text_order(paths: dict[str, Path | None]) -> list[Finding]:
    ordered = [(version, natural_key(version)) for version in sorted(paths)]
    for (earlier, earlier_key), (later, later_key) in pairwise(ordered):
        dates = min(len(earlier), len(later)) >= _TIMESTAMP_DIGITS
        if earlier_key > later_key and not dates:
            message = (
                f"Versions are compared as text, so {earlier} is applied before {later}. "
                f"Give all versions the same number of digits."
            )
            return [Finding(code="text-order", message=message, path=paths[later], level="warning")]
    return []


def _widths(paths: dict[str, Path | None]) -> list[Finding]:
    widths = Counter(len(version) for version in paths if version.isdigit())
    if len(widths) < 2:
        return []
    usual = widths.most_common(1)[0][0]
    odd = next(version for version in paths if version.isdigit() and len(version) != usual)
    message = (
        f"Version {odd} has {len(odd)} digits, most have {usual}: versions are compared as numbers, so the order in "
        f"which files are listed is not the one in which they are applied."
    )
    return [Finding(code="mixed-widths", message=message, path=paths[odd], level="note")]


def _gaps(paths: dict[str, Path | None]) -> list[Finding]:
    """Numbers left out, where numbers are given one after the other."""
    if any(not version.isascii() or not version.isdigit() or len(version) >= _TIMESTAMP_DIGITS for version in paths):
        return []
    numbers = {int(version): version for version in paths}
    missing = [(before, after) for before, after in pairwise(sorted(numbers)) if after - before > 1]
    if not missing or 2 * sum(after - before - 1 for before, after in missing) >= len(numbers):
        return []
    between = [f"{numbers[before]} and {numbers[after]}" for before, after in missing[:3]]
    more = f" and in {len(missing) - 3} more places" if len(missing) > 3 else ""
    message = f"Numbers are left out between {', between '.join(between)}{more}: is a file missing here?"
    return [Finding(code="version-gap", message=message, path=paths[numbers[missing[0][1]]], level="note")]
