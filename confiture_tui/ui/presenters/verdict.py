"""What a dry run came to: in a word for the list, in a line for the head, in full for its pane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.figures import counted, duration, size
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.dry_run.result import DerivedDown, DryRunResult, RoundTrip, StatementObservation
    from confiture_tui.core.effects.model import Failure
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.errors import ConfitureError
    from confiture_tui.ui.glyphs import Glyphs

ROWS = {"none": "no rows", "synthetic": "made-up rows", "full": "all rows"}
_WRAPPINGS = {
    "transaction": "in one transaction",
    "own": "in the file's own transaction",
    "none": "each statement on its own",
}
_DATA = {
    "kept": "the rows from before are kept",
    "lost": "rows or columns from before are lost",
    "unknown": "whether values are as before is unknown",
}


_MOST_STATEMENTS = 500


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict in one word, with its sign and style."""

    word: str
    sign: str
    style: str

    @property
    def content(self) -> Content:
        """Sign and word, coloured."""
        return Content.styled(f"{self.sign} {self.word}", self.style)


def badge_of(result: DryRunResult, glyphs: Glyphs) -> Badge:
    """The worst that can be said of the migration in a word: fails, unclear, rewrites, blocks, or ok.

    ``blocks`` means work that grows with a table (a scan or the build of an index) while a lock that readers or
    writers wait for is held; a lock that is only held for an instant does not count.
    """
    if result.verdict == "fails":
        return Badge("fails", glyphs.fails, style("verdict-fails"))
    if result.verdict == "inconclusive":
        return Badge("unclear", glyphs.unclear, style("verdict-unclear"))
    if any(statement.rewrites for statement in result.statements):
        return Badge("rewrites", glyphs.rewrites, style("verdict-rewrites"))
    if any(blocks_while_working(result.statements, together=result.wrapping != "none")):
        return Badge("blocks", glyphs.blocks, style("verdict-blocks"))
    return Badge("ok", glyphs.ok, style("verdict-ok"))


def blocks_while_working(statements: Iterable[StatementObservation], *, together: bool) -> Iterable[bool]:
    """For each statement, whether it scans or builds while a lock that blocks reads or writes is held.

    Args:
        together: all statements run in one transaction, so that locks stay until the end.
    """
    held = False
    for statement in statements:
        own = any(lock.mode.blocks_reads or lock.mode.blocks_writes for lock in statement.locks or ())
        held = own or (held and together)
        yield held and bool(statement.scans or statement.builds or statement.rebuilds or statement.rewrites)


def verdict_line(result: DryRunResult, glyphs: Glyphs) -> Content:
    """The verdict in one line: the word, why, where it ran, and whether anything stayed."""
    parts = [badge_of(result, glyphs).content]
    if result.failure is not None:
        parts.append(Content(failure_line(result.failure, _failed_index(result))))
    elif result.elapsed_ms is not None:
        # How long it takes without rows says nothing about the target.
        took = f" in {duration(result.elapsed_ms)}" if result.rows == "full" else ""
        parts.append(Content(f"{counted(len(result.statements), 'statement')}{took}"))
    parts.append(Content(f"on {'a shadow' if result.on == 'shadow' else 'the target'}, {ROWS[result.rows]}"))
    kept = result.proof.nothing_persisted
    if kept is True:
        parts.append(Content.styled("nothing stayed", style("verdict-ok")))
    elif kept is False:
        parts.append(Content.styled("SOMETHING STAYED", style("verdict-fails")))
    else:
        parts.append(Content.styled("not proved that nothing stayed", style("verdict-unclear")))
    return Content.styled(f" {glyphs.separator} ", style("quiet")).join(parts)


def _failed_index(result: DryRunResult) -> int | None:
    return next((statement.index for statement in result.statements if statement.outcome == "failed"), None)


def failure_line(failure: Failure, statement: int | None = None) -> str:
    """A failure in one line, safe to show: where, SQLSTATE, the server's message."""
    where = "".join(
        [
            f"statement {statement}, " if statement is not None else "",
            f"line {failure.line}, " if failure.line is not None else "",
        ]
    )
    return f"{where}SQLSTATE {safe_line(failure.sqlstate)}: {safe_line(failure.message)}"


def error_text(error: ConfitureError) -> Content:
    """An error of ours as a sentence and what to do next."""
    text = Content.styled(safe_text(error.message), style("severity-error"))
    return Content.assemble(text, "\n\n", safe_text(error.hint)) if error.hint else text


def report(result: DryRunResult, glyphs: Glyphs) -> Content:
    """The dry run in full: verdict, error, statements, hooks, what was left invalid, notes, proof, the way back."""
    blocks = [
        verdict_line(result, glyphs),
        Content(f"Run {_WRAPPINGS.get(result.wrapping, safe_line(result.wrapping))}."),
    ]
    if result.failure is not None:
        blocks += [Content(""), Content.styled("Error", style("heading"))]
        blocks += failure_block(result.failure, glyphs, statement=_failed_index(result))
    if result.statements:
        blocks += [Content(""), Content.styled("Statements, predicted and seen", style("heading"))]
        shown = result.statements[:_MOST_STATEMENTS]
        blocks += [line for one in shown for line in _statement(one, glyphs)]
        if len(shown) < len(result.statements):
            more = counted(len(result.statements) - len(shown), "more statement")
            blocks.append(Content.styled(f"… {more} on the first pane", style("quiet")))
    if result.hooks:
        blocks += [
            Content(""),
            Content.styled("Hooks", style("heading")),
            *(_hook(one, glyphs) for one in result.hooks),
        ]
    invalid = sorted({name for one in result.statements for name in one.invalid_indexes or ()})
    if invalid:
        blocks += _section("Left behind invalid", invalid, glyphs, "severity-warning", glyphs.warning)
    skipped = [
        f"statement {one.index} ({one.tag}): {one.reason or 'no reason given'}"
        for one in result.statements
        if one.outcome in ("not_run", "not_exercised")
    ]
    if skipped:
        blocks += _section("Not run", skipped, glyphs, "quiet", glyphs.not_run)
    if result.notes:
        blocks += _section("Notes", result.notes, glyphs, "severity-info", glyphs.info)
    blocks += _proof(result, glyphs)
    if result.round_trip is not None:
        blocks += _round_trip(result.round_trip, glyphs)
    if result.derived_down is not None:
        blocks += _derived_down(result.derived_down, glyphs)
    notices = [f"statement {one.index}: {notice}" for one in result.statements for notice in one.notices]
    if notices:
        blocks += _section("Server notices", notices, glyphs, "severity-info", glyphs.info)
    return Content("\n").join(blocks)


def _statement(statement: StatementObservation, glyphs: Glyphs) -> Iterable[Content]:
    """What was measured of one, and where it is not as predicted."""
    signs = {"ran": (glyphs.ok, "verdict-ok"), "failed": (glyphs.fails, "verdict-fails")}
    sign, style_name = signs.get(statement.outcome, (glyphs.not_run, "quiet"))
    words = [f"{statement.index} line {statement.line} {safe_line(statement.tag)}"]
    if statement.elapsed_ms is not None:
        words.append(duration(statement.elapsed_ms))
    if statement.rows is not None:
        words.append(counted(statement.rows, "row"))
    if statement.wal_bytes is not None:
        words.append(f"{size(statement.wal_bytes)} of WAL")
    if statement.mismatch == ():
        words.append("as predicted")
    yield Content.assemble((f"{sign} ", style(style_name)), f" {glyphs.separator} ".join(words))
    for text in differences(statement):
        yield Content.assemble("    ", text)


def differences(statement: StatementObservation) -> list[Content]:
    """Where a statement is not as predicted: the field, what was predicted, what was seen."""
    found = []
    for one in statement.differences:
        before, now = (", ".join(texts) or "nothing of the kind" for texts in (one.predicted, one.observed))
        words = safe_line(f"{one.field.replace('_', ' ')}: predicted {before} | seen {now}")
        found.append(Content.styled(words, style("severity-warning")))
    return found


def failure_block(failure: Failure, glyphs: Glyphs, *, statement: int | None = None) -> list[Content]:
    """A failure with everything that the server said, line by line."""
    lines = [Content.assemble((f"{glyphs.error} ", style("severity-error")), Content(failure_line(failure, statement)))]
    if failure.detail:
        lines.append(Content.assemble(("  detail  ", style("label")), safe_text(failure.detail)))
    if failure.hint:
        lines.append(Content.assemble(("  hint    ", style("label")), safe_text(failure.hint)))
    if failure.position is not None:
        lines.append(Content.assemble(("  at      ", style("label")), f"character {failure.position} of the statement"))
    return lines


def _section(title: str, lines: Iterable[str], glyphs: Glyphs, style_name: str, sign: str) -> list[Content]:
    return [
        Content(""),
        Content.styled(title, style("heading")),
        *(Content.assemble((f"{sign} ", style(style_name)), safe_text(line)) for line in lines),
    ]


def _proof(result: DryRunResult, glyphs: Glyphs) -> list[Content]:
    proof = result.proof
    words = {True: "nothing of it stayed", False: "something stayed", None: "could not be checked"}
    signs = {
        True: (glyphs.ok, "verdict-ok"),
        False: (glyphs.fails, "verdict-fails"),
        None: (glyphs.unclear, "verdict-unclear"),
    }
    sign, style_name = signs[proof.nothing_persisted]
    lines = [
        Content(""),
        Content.assemble(("Proof", style("heading")), ": ", (words[proof.nothing_persisted], style(style_name))),
    ]
    lines += [Content.assemble((f"{sign} ", style(style_name)), safe_text(check)) for check in proof.checks]
    lines += [
        Content.assemble((f"{glyphs.warning} ", style("severity-warning")), "stayed: ", safe_text(exception))
        for exception in proof.exceptions
    ]
    return lines


def _hook(hook: HookResult, glyphs: Glyphs) -> Content:
    """A hook in a line: its phase, how it ended, what it did or why it did nothing."""
    signs = {
        "ok": (glyphs.ok, "verdict-ok"),
        "failed": (glyphs.fails, "verdict-fails"),
        "not_exercised": (glyphs.not_run, "quiet"),
    }
    sign, style_name = signs[hook.outcome]
    name = f"{hook.hook} ({hook.phase})" if hook.phase is not None else hook.hook
    said = [name, hook.outcome.replace("_", " ")]
    if hook.outcome == "ok":
        said += [duration(hook.elapsed_ms), counted(hook.rows_affected, "row")]
    said += [text for text in (hook.message, hook.error) if text]
    return Content.assemble((f"{sign} ", style(style_name)), safe_line(f" {glyphs.separator} ".join(said)))


def _derived_down(derived: DerivedDown, glyphs: Glyphs) -> list[Content]:
    """A way back that nobody has written: its statements, and what trying it has shown."""
    return [
        *_section("There is no down file; this one was derived", derived.sql.splitlines(), glyphs, "quiet", " "),
        *_round_trip(derived.round_trip, glyphs),
    ]


def _round_trip(trip: RoundTrip, glyphs: Glyphs) -> list[Content]:
    words = {
        True: ("the schema comes back", "verdict-ok", glyphs.ok),
        False: ("the schema does not come back", "verdict-fails", glyphs.fails),
        None: ("not tried to the end", "verdict-unclear", glyphs.unclear),
    }
    text, style_name, sign = words[trip.schema_proved]
    return [
        Content(""),
        Content.assemble(("Way back", style("heading")), ": ", (f"{sign} {text}", style(style_name))),
        *([] if trip.schema_proved is None else [Content.styled(f"{glyphs.info} {_DATA[trip.data]}", style("quiet"))]),
        *(Content.assemble((f"{glyphs.altered} ", style("diff-changed")), safe_text(one)) for one in trip.differences),
        *(Content.assemble((f"{glyphs.altered} ", style("quiet")), "lesser: ", safe_text(one)) for one in trip.lesser),
    ]
