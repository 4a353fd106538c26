"""What is asked for one migration of a plan, and what each key will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.risk import level_badge
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.core.runner.plan import Plan
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session


def step_title(plan: Plan, session: Session, glyphs: Glyphs) -> Content:
    """``Apply 008_gift_note to shop?``, its risk, and how many follow."""
    first = plan.migrations[0]
    word, to = ("Take back", "from") if plan.direction == "backward" else ("Apply", "to")
    parts: list[str | tuple[str, str] | Content] = [
        f"{word} ",
        (label(first.version, first.name), style("strong")),
        f" {to} ",
        (safe_line(plan.target.database), style("strong")),
        "?",
    ]
    assessment = session.assessments.get(first.version)
    if assessment is not None and plan.direction == "forward":
        parts += ["  ", level_badge(assessment, glyphs)]
    rest = len(plan.migrations) - 1
    parts.append((f"  {counted(rest, 'more follows', 'more follow')}" if rest else "  the last one", style("quiet")))
    if session.run.changed:
        changed = f"{glyphs.warning} It has changed since it was shown; nothing of it was run.\n"
        return Content.assemble((changed, style("severity-warning")), *parts)
    return Content.assemble(*parts)


def step_choices(plan: Plan, session: Session) -> Content:
    """What each key will do, a line each."""
    first = plan.migrations[0]
    statements = counted(first.statements, "statement")
    shape = "in one transaction" if first.transactional else "one by one, outside a transaction"
    done = sum(len(result.migrations) for result in session.run.stepped)
    lines = [("step_proceed", f"runs its {statements} {shape}, then asks for the next")]
    if plan.direction == "forward":
        lines.append(("step_skip", "leaves it out; it stays pending"))
    lines += [
        ("step_preview", "shows its SQL"),
        ("step_details", "shows its risks and hooks"),
        ("dismiss_dialog", f"stops here; {counted(done, 'migration')} of this run so far"),
    ]
    return Content("\n").join(
        [Content.assemble((f"{key_of(action):>5}  ", style("key")), words) for action, words in lines]
    )
