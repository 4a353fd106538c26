"""What one statement does, as lines under it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len

from confiture_tui.cli.output.page import Page, Style
from confiture_tui.terminal import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.model import Effects, Failure, RelationLock, StatementEffects

_LISTS = ("rewrites", "scans", "builds", "rebuilds", "creates", "drops", "invalid_indexes")
_LABELS = {"invalid_indexes": "invalid"}
_STYLES = {"rewrites": Style.CAREFUL, "drops": Style.CAREFUL, "invalid_indexes": Style.BAD}
LABEL = 10
"""Cells of the column of labels."""
_ONE_BY_ONE = 8
"""How many locks are shown on lines of their own."""


def write_effects(page: Page, effects: Effects, *, indent: int) -> None:
    """Locks and work, a line each. What nobody looked at is said to be so, never left out as if there were none."""
    unseen = [_LABELS.get(name, name) for name in ("locks", *_LISTS) if getattr(effects, name) is None]
    if len(unseen) == len(_LISTS) + 1:
        page.line(" " * indent, page.cell("effects", LABEL, Style.QUIET), page.styled("not looked at", Style.QUIET))
        return
    _write_locks(page, effects, indent)
    for name in _LISTS:
        relations = getattr(effects, name)
        if relations:
            _labelled(page, _LABELS.get(name, name), ", ".join(relations), indent, _STYLES.get(name, Style.PLAIN))
    if unseen:
        _labelled(page, "not seen", ", ".join(unseen), indent, Style.QUIET)


def write_failure(page: Page, statement: StatementEffects, failure: Failure, *, indent: int) -> None:
    """The server's error, with its SQLSTATE, and the place in the statement that it points at."""
    page.paragraph(
        f"{page.glyphs.bad} {failure.sqlstate}  {failure.message}", indent=indent, first=" " * indent, style=Style.BAD
    )
    for label, text in (("detail", failure.detail), ("hint", failure.hint)):
        if text:
            _labelled(page, label, text, indent + 2, Style.PLAIN)
    if failure.position is not None and 1 <= failure.position <= len(statement.sql):
        _write_position(page, statement, failure.position, indent + 2)


def what_it_blocks(mode: LockMode) -> str:
    """In words, whom a lock of this mode keeps waiting."""
    if mode.blocks_reads:
        return "blocks reads and writes"
    return "blocks writes" if mode.blocks_writes else ""


def _write_locks(page: Page, effects: Effects, indent: int) -> None:
    if effects.locks is None:
        return
    if not effects.locks:
        _labelled(page, "locks", "nothing that was there before", indent, Style.QUIET)
        return
    locks = sorted(effects.locks, key=lambda lock: (-lock.mode.strength, lock.relation))
    if len(locks) > _ONE_BY_ONE:
        _write_many_locks(page, locks, indent)
        return
    modes = max(len(lock.mode) for lock in locks)
    names = max(len(lock.relation) for lock in locks)
    fits = indent + LABEL + modes + 2 + names + 2 + len("blocks reads and writes") <= page.width
    for number, lock in enumerate(locks):
        style = _lock_style(lock.mode)
        label = page.cell("locks" if number == 0 else "", LABEL, Style.QUIET)
        blocks = what_it_blocks(lock.mode)
        if fits:
            name = page.cell(lock.relation, names + 2)
            page.line(
                " " * indent, label, page.cell(lock.mode, modes + 2, style), name, page.styled(blocks, Style.QUIET)
            )
        else:
            page.line(" " * indent, label, page.styled(lock.mode, style))
            after = f"  {blocks}" if blocks else ""
            page.paragraph(f"{lock.relation}{after}", indent=indent + LABEL + 2)


def _write_many_locks(page: Page, locks: Sequence[RelationLock], indent: int) -> None:
    """The relations of a partitioned table, for instance: each mode once, all names below it."""
    for number, (mode, alike) in enumerate(groupby(locks, key=lambda lock: lock.mode)):
        names = [lock.relation for lock in alike]
        label = page.cell("locks" if number == 0 else "", LABEL, Style.QUIET)
        what = page.joined(f"{len(names)} relations" if len(names) > 1 else "", what_it_blocks(mode))
        head = [" " * indent, label, page.styled(mode, _lock_style(mode))]
        if indent + LABEL + len(mode) + 2 + cell_len(what) <= page.width:
            page.line(*head, "  ", page.styled(what, Style.QUIET))
        else:
            page.line(*head)
            page.paragraph(what, indent=indent + LABEL + 2, style=Style.QUIET)
        page.paragraph(", ".join(names), indent=indent + LABEL + 2)


def _lock_style(mode: LockMode) -> Style:
    return Style.BAD if mode.blocks_reads else Style.CAREFUL if mode.blocks_writes else Style.PLAIN


def _labelled(page: Page, label: str, text: str, indent: int, style: Style) -> None:
    page.paragraph(text, indent=indent + LABEL, first=" " * indent + label, style=style)


def _write_position(page: Page, statement: StatementEffects, position: int, indent: int) -> None:
    """The line of the SQL that the error points at, and a mark under the place."""
    before = statement.sql[: position - 1]
    start = before.rfind("\n") + 1
    column = position - 1 - start
    text = statement.sql[start:].split("\n", 1)[0].replace("\t", " ").rstrip("\r")
    number = f"{statement.line + before.count(chr(10))} "
    room = page.width - indent - len(number) - 2
    # A long line is shown around the place, not from its beginning.
    skip = max(0, column - room // 2) if len(text) > room else 0
    page.line(
        " " * indent, page.styled(number, Style.QUIET), f"{page.glyphs.bar} ", page.styled(text[skip : skip + room])
    )
    mark = page.styled("^", Style.BAD)
    page.line(" " * (indent + len(number)), f"{page.glyphs.bar} ", " " * cell_len(safe_text(text[skip:column])), mark)
