"""Whole screens as text. ``pytest tests/ui --update-goldens`` writes them anew: read the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_tui.errors import ConnectError
from confiture_tui.ui.glyphs import ASCII
from confiture_tui.ui.run_state import RunPhase
from tests.ui import risk_samples, run_samples, samples
from tests.ui.driving import Driver, running

GOLDENS = Path(__file__).parent / "goldens"
SIZES = [(60, 20), (80, 24), (120, 36), (200, 50)]


def compare(request: pytest.FixtureRequest, name: str, size: tuple[int, int], text: str) -> None:
    path = GOLDENS / f"{name}-{size[0]}x{size[1]}.txt"
    if request.config.getoption("--update-goldens", default=False):
        path.write_text(text, encoding="utf-8")
    assert _without_thumbs(text) == _without_thumbs(path.read_text(encoding="utf-8"))


def _without_thumbs(text: str) -> str:
    """The screen without the ends of scrollbars: where in its cell one ends depends on how events were batched."""
    return "\n".join(line.rstrip(" ▁▂▃▄▅▆▇█") for line in text.split("\n"))


async def settled(driver: Driver) -> str:
    """The screen once two looks at it are the same and everything that arrived is drawn."""
    before = ""
    sql = driver.review.sql
    while before != driver.text or driver.app._arrived or not (sql.is_coloured or sql._colourless):
        before = driver.text
        await driver.pilot.pause(0.06)
    return before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_review_before_anything_was_tried(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    async with running(samples.service(), size=size) as driver:
        compare(request, "review", size, await settled(driver))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_review_after_dry_runs(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service(project=samples.project("production", production=True))
    async with running(service, size=size) as driver:
        await driver.press("D")
        await driver.until(lambda: len(service.results) == 4 and not driver.app.session.busy)
        await driver.press("j")
        await driver.until_text("004_order_token · ○ pending · 1 statement")
        compare(request, "dry-run", size, await settled(driver))


@pytest.mark.parametrize("size", SIZES[1:3], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_failure_in_full(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    async with running(samples.service(), size=size) as driver:
        await driver.press("j", "j", "j", "d", "o", *["right_square_bracket"] * 3)
        await driver.until_text("is duplicated")
        compare(request, "failure", size, await settled(driver))


async def test_ascii(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    async with running(samples.service(), size=(80, 24)) as driver:
        assert driver.app.glyphs is ASCII
        await driver.press("d")
        await driver.until_text("+ ok")
        text = await settled(driver)
        assert text.isascii()
        compare(request, "ascii", (80, 24), text)


async def test_help(request: pytest.FixtureRequest) -> None:
    async with running(samples.service(), size=(120, 36)) as driver:
        await driver.press("question_mark")
        await driver.until_text("Try the chosen")
        compare(request, "help", (120, 36), await settled(driver))


async def test_no_connection(request: pytest.FixtureRequest) -> None:
    error = ConnectError("No server listens on db.example, port 5432.", hint="Is the address right, and is it started?")
    async with running(samples.service(open_error=error, statuses=[]), size=(80, 24)) as driver:
        await driver.until_text("No server listens")
        compare(request, "no-connection", (80, 24), driver.text)


WIZARD = [(80, 24), (120, 36), (160, 45)]
sizes = pytest.mark.parametrize("size", WIZARD, ids=lambda size: f"{size[0]}x{size[1]}")


async def planned(driver: Driver) -> None:
    await driver.press("4")
    await driver.until(lambda: driver.app.session.run.phase is RunPhase.PLANNED)


@sizes
async def test_the_plan_of_a_run(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service(hooks=run_samples.HOOKS, preflight=[run_samples.LONG_TRANSACTION])
    async with running(service, size=size) as driver:
        await planned(driver)
        compare(request, "run-plan", size, await settled(driver))


@sizes
async def test_the_question_on_production(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service(project=samples.project("production", production=True))
    async with running(service, size=size) as driver:
        await planned(driver)
        await driver.press("a")
        await driver.until_text("PRODUCTION  tab")
        compare(request, "run-question", size, await settled(driver))


@sizes
async def test_a_run_as_it_happens(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service(hooks=run_samples.HOOKS)
    async with running(service, size=size) as driver:
        await planned(driver)
        await driver.press("a", "tab", "enter")
        await driver.until(lambda: service.runs)
        for event in run_samples.run_events():
            service.events(event)
        await driver.until_text("300 of 1,000")
        compare(request, "run-live", size, await settled(driver))


@sizes
async def test_what_came_of_a_run(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service()
    async with running(service, size=size) as driver:
        await planned(driver)
        await driver.press("a", "tab", "enter")
        await driver.until(lambda: service.runs)
        for event in run_samples.end_events():
            service.events(event)
        service.runs[0][1].future.set_result(run_samples.run_result())
        await driver.until_text("1 applied")
        await driver.press("j")
        await driver.until_text("55P03")
        compare(request, "run-result", size, await settled(driver))


@sizes
async def test_what_is_left_half_way(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    async with running(samples.service(left=[run_samples.left_over()]), size=size) as driver:
        await planned(driver)
        compare(request, "run-left", size, await settled(driver))


@sizes
async def test_lint(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    async with running(samples.service(lint_outcome=run_samples.lint_result()), size=size) as driver:
        await driver.press("3")
        await driver.until_text("missing-primary-key")
        await driver.press("j", "j")
        await driver.until_text("CREATE INDEX")
        compare(request, "lint", size, await settled(driver))


@sizes
async def test_history(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    async with running(samples.service(entries=run_samples.history()), size=size) as driver:
        await driver.press("5")
        await driver.until_text("1 half-way")
        compare(request, "history", size, await settled(driver))


@sizes
async def test_the_log_at_full_height(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service()
    async with running(service, size=size) as driver:
        for event in run_samples.run_events():
            service.events(event)
        await driver.press("6", "slash")
        await driver.press(*"migration=003 statement")
        await driver.press("enter")
        await driver.until_text("9 shown")
        compare(request, "log", size, await settled(driver))


@sizes
async def test_an_event_in_full(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service()
    async with running(service, size=size) as driver:
        for event in run_samples.run_events():
            service.events(event)
        await driver.press("6", "slash")
        await driver.press(*"hook=backfill")
        await driver.press("enter", "c", "k", "enter")
        await driver.until_text("├ phase  AFTER_DDL")
        compare(request, "log-event", size, await settled(driver))


@sizes
async def test_risks_with_the_safe_way(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    service = samples.service(assessments=[risk_samples.note(), risk_samples.token()])
    async with running(service, size=size) as driver:
        await driver.until(lambda: not driver.app.session.assessing)
        await driver.press("o", "s", "n", "n")
        await driver.until_text("no-lock-timeout")
        compare(request, "risk", size, await settled(driver))


@sizes
async def test_one_by_one(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    async with running(samples.service(hooks=run_samples.HOOKS), size=size) as driver:
        await planned(driver)
        await driver.press("p")
        await driver.until_text("Apply 003_order_note to shop?")
        compare(request, "one-by-one", size, await settled(driver))


@sizes
async def test_first_run(request: pytest.FixtureRequest, size: tuple[int, int]) -> None:
    async with running(samples.service(statuses=[]), size=size) as driver:
        await driver.press("o")
        await driver.until_text("Looked for")
        compare(request, "first-run", size, driver.text)
