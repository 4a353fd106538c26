"""Text from files and servers shows; it never runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import confiture_tui.ui
from confiture_tui.core.catalog.diff import AttributeChange, Change, SchemaChange, SchemaDiff
from confiture_tui.core.dry_run.result import DryRunResult, Outcome, Proof, RoundTrip, Verdict
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Failure, PossibleFailure
from confiture_tui.core.migrations.model import Finding
from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.service.models import MigrationPreview
from confiture_tui.ui.glyphs import UNICODE
from confiture_tui.ui.presenters import migrations, statements, subject
from confiture_tui.ui.presenters.facts import facts
from confiture_tui.ui.presenters.header import header
from confiture_tui.ui.presenters.log_line import log_line
from confiture_tui.ui.presenters.schema_diff import DiffNode, diff_summary, diff_tree
from confiture_tui.ui.presenters.verdict import error_text, report, verdict_line
from confiture_tui.ui.screens.confirm import ConfirmDialog
from confiture_tui.ui.session import Phase, Session
from tests.support.fake_service import AT, FakeService, status
from tests.ui import samples
from tests.ui.driving import running
from tests.ui.hostile import FORBIDDEN, SAMPLES

UI = Path(confiture_tui.ui.__file__).parent
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=40) | st.sampled_from(SAMPLES)
# pydantic refuses lone surrogates; they come from file names and SQL files, which are not pydantic strings.
MODEL = ANY.map(lambda text: text.encode("utf-8", "replace").decode())


def hostile_result(text: str, version: str = "1") -> DryRunResult:
    failure = Failure(sqlstate=text, message=text, detail=text, hint=text, line=1)
    seen = samples.observation(
        samples.SAFE_SQL,
        1,
        tag=text,
        outcome=Outcome.FAILED,
        error=failure,
        reason=text,
        locks=(samples.lock(text, LockMode.ACCESS_EXCLUSIVE),),
        rewrites=(text,),
        scans=(text,),
        builds=(text,),
        rebuilds=(text,),
        creates=(text,),
        drops=(text,),
        invalid_indexes=(text,),
        may_fail=(PossibleFailure(sqlstate=text, why=text),),
        mismatch=(text,),
        notices=(text,),
    )
    ran = seen.model_copy(update={"outcome": Outcome.RAN, "index": 2})
    skipped = seen.model_copy(update={"outcome": Outcome.NOT_RUN, "index": 3})
    change = SchemaChange(
        change=Change.CHANGED,
        kind=text,
        name=text,
        attributes=(AttributeChange(attribute=text, before=text, after=text),),
    )
    return samples.result(
        version,
        text,
        seen,
        ran,
        skipped,
        verdict=Verdict.FAILS,
        ok=False,
        failure=failure,
        schema_diff=SchemaDiff(changes=(change,)),
        proof=Proof(nothing_persisted=False, checks=(text,), exceptions=(text,)),
        round_trip=RoundTrip(schema_proved=False, differences=(text,)),
        notes=(text,),
    )


def _parts(node: DiffNode) -> Iterator[str]:
    yield from (text for text, _style in node.parts)
    for child in node.children:
        yield from _parts(child)


@given(text=MODEL)
@settings(max_examples=150)
def test_no_presenter_lets_through_what_a_terminal_obeys(text: str) -> None:
    result = hostile_result(text)
    finding = Finding(code="x", message=text, level="warning")
    preview = MigrationPreview(
        version="1", name=text, path=None, wrapping=text, analysed=(0, 0), statements=(), findings=(finding,)
    )
    one = status(text, text, "pending", "SELECT 1;")
    session = Session(FakeService(statuses=[one]), phase=Phase.READY, statuses=(one,))  # type: ignore[arg-type]
    failed = Session(FakeService(), phase=Phase.READY, failures={text: UsageError(text, hint=text)})  # type: ignore[arg-type]
    layout = statements.columns(100, 3, 10, len(text))
    lines = [
        header(samples.project(text, name=text), samples.target(text, text), width=200, waiting="", glyphs=UNICODE),
        migrations.row(one, session, width=80, glyphs=UNICODE),
        migrations.head(one, preview, width=120, glyphs=UNICODE),
        migrations.head_verdict(text, failed, width=200, glyphs=UNICODE),
        verdict_line(result, UNICODE),
        log_line(Event(name=EventName.CONNECTED, message=text, migration=text), width=100, glyphs=UNICODE),
        *(statements.row(seen, seen, layout, glyphs=UNICODE) for seen in result.statements),
    ]
    texts = [
        report(result, UNICODE),
        *(facts(seen, seen, UNICODE) for seen in result.statements),
        diff_summary(result.schema_diff or SchemaDiff()),
        error_text(ConfitureError(text, hint=text)),
        subject.facts_pane(None, None, preview, None, UNICODE),
        subject.report_pane(text, failed, UNICODE),
    ]
    tree = [part for node in diff_tree(result.schema_diff or SchemaDiff(), UNICODE) for part in _parts(node)]
    assert [part for part in tree if FORBIDDEN & set(part)] == []
    assert [line.plain for line in lines if FORBIDDEN & set(line.plain)] == []
    assert [one.plain for one in texts if (FORBIDDEN - {"\n", "\t"}) & set(one.plain)] == []


@pytest.mark.parametrize("size", [(60, 20), (200, 50)])
async def test_every_pane_shows_it_and_runs_none_of_it(size: tuple[int, int]) -> None:
    every = " | ".join(SAMPLES)
    utf8 = [text.encode("utf-8", "replace").decode() for text in SAMPLES]
    statuses = [
        status(f"{number:03}", text, "pending", f"SELECT 1; /* {text} */\n-- {every}\n")
        for number, text in enumerate(utf8)
    ]
    outcomes = {one.version: hostile_result(text, one.version) for one, text in zip(statuses, utf8, strict=True)}
    last = statuses[-1].version
    service = samples.service(
        statuses=statuses,
        project=samples.project(utf8[2], name=utf8[0]),
        target=samples.target(utf8[1], utf8[3]),
        outcomes=outcomes | {last: UsageError(SAMPLES[2], hint=SAMPLES[6])},
    )
    async with running(service, size=size) as driver:
        for text in SAMPLES:
            service.events(Event(name=EventName.SERVER_NOTICE, message=text, migration=text, at=AT))
        await driver.press("D")
        await driver.until(lambda: len(service.results) == len(statuses) - 1 and not driver.app.session.busy)
        for _ in statuses:
            for _ in range(5):
                clean(driver.text)
                await driver.press("right_square_bracket")
            await driver.press("j")
        await driver.press("slash")
        await driver.press(*"foo")
        await driver.until_text("[/foo")
        clean(driver.text)
        await driver.press("escape", "g")
        service.hold_dry_run = True
        await driver.press("d", "q")
        assert driver.on_top(ConfirmDialog)
        assert utf8[0] in driver.text
        clean(driver.text)


def clean(text: str) -> None:
    assert not (FORBIDDEN - {"\n"}) & set(text)


async def test_an_error_at_the_start_shows_markup_as_text() -> None:
    service = samples.service(open_error=UsageError("no [/foo] \x1b[2J here", hint="[@click=app.quit]q[/]"))
    async with running(service) as driver:
        assert "no [/foo] \N{SYMBOL FOR ESCAPE}[2J here" in driver.text
        assert "[@click=app.quit]q[/]" in driver.text


# What takes text: only literals, Content, or markup switched off.

SINKS = {
    "Static",
    "Label",
    "Button",
    "Link",
    "Option",
    "Hit",
    "DiscoveryHit",
    "Tab",
    "TabPane",
    "Collapsible",
    "notify",
}
TITLES = {"border_title", "border_subtitle", "tooltip", "title", "sub_title"}
CONTENT_FIELDS = {"_question", "_yes", "_no"}
"""Attributes that are annotated as Content where they are set; the type checker holds that."""


def is_safe(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Name(id="Content" | "_highlighted")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="Content"), attr=attr)):
            return attr != "from_markup"
        case ast.Attribute(attr=attr):
            return attr in CONTENT_FIELDS
    return False


def unsafe_sinks(source: str) -> list[int]:
    """The lines on which text that may be markup goes into a sink."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            off = any(
                word.arg == "markup" and isinstance(word.value, ast.Constant) and word.value.value is False
                for word in node.keywords
            )
            texts = [
                *node.args[: 2 if name == "Hit" else 1],
                *(w.value for w in node.keywords if w.arg in ("content", "label")),
            ]
            texts = texts[1:] if name == "Hit" else texts
            if name in SINKS and not off and not all(map(is_safe, texts)):
                found.append(node.lineno)
            if name in ("from_markup", "from_text", "render_str", "escape") and not isinstance(
                node.args[0], ast.Constant
            ):
                found.append(node.lineno)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {getattr(target, "attr", "") for target in targets}
            if names & TITLES and not is_safe(node.value):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda path: path.name)
def test_no_text_of_others_goes_into_a_sink_that_reads_markup(path: Path) -> None:
    assert unsafe_sinks(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "Static(name)",
        "Static(f'hello {name}')",
        "self.notify(str(error))",
        "Button(label=name)",
        "Hit(score, name, command)",
        "DiscoveryHit(name, command)",
        "self.border_title = name",
        "Content.from_markup(f'[b]{name}[/b]')",
        "Static(Content.from_markup(name))",
        "Label(escape(name))",
    ],
)
def test_that_check_finds_what_it_is_for(source: str) -> None:
    assert unsafe_sinks(source)


@pytest.mark.parametrize(
    "source",
    [
        "Static('hello')",
        "Static(name, markup=False)",
        "Button(Content(name))",
        "self.notify(name, markup=False)",
        "Content.from_markup('[b]$name[/b]', name=name)",
    ],
)
def test_that_check_lets_the_safe_through(source: str) -> None:
    assert not unsafe_sinks(source)
