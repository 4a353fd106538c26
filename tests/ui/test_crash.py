from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from textual.worker import WorkerFailed

from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.crash import crash_report
from tests.support.fake_service import AT, FakeService
from tests.ui import samples
from tests.ui.driving import running

if TYPE_CHECKING:
    from confiture_tui.core.migrations.status import MigrationStatus

PASSWORD = "hunter2-of-the-database"


class Failing(FakeService):
    """A defect deep in the service, with a password in reach."""

    async def status(self) -> tuple[MigrationStatus, ...]:
        dsn = f"postgresql://shop:{PASSWORD}@db.example/shop"
        raise RuntimeError(f"could not parse {dsn}")


async def crash(service: FakeService) -> tuple[str, int | None]:
    """What a crashing app prints, and its exit code."""
    app = ConfitureApp(service)  # type: ignore[arg-type]  # the fake has the parts that screens use
    out = io.StringIO()
    app.error_console = Console(file=out, width=200)
    with pytest.raises(WorkerFailed):
        await until_it_crashes(app)
    return out.getvalue(), app.return_code


async def test_no_password_reaches_the_terminal() -> None:
    text, code = await crash(Failing(project=samples.project()))
    assert code == 1
    assert PASSWORD not in text
    assert "db.example" not in text
    assert "RuntimeError" in text
    assert "confiture_tui/ui/desks/" in text
    assert "--log-file" in text


async def until_it_crashes(app: ConfitureApp) -> None:
    async with app.run_test():
        while app._exception is None:
            await asyncio.sleep(0.005)


def raised() -> Exception:
    secret = PASSWORD
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(f"bad {secret}") from error
    except ValueError as error:
        return error


def test_causes_are_named_by_type_only() -> None:
    text = crash_report(raised(), log_file=Path("/var/log/confiture.log"))
    assert "ValueError" in text
    assert "KeyError" in text
    assert "/var/log/confiture.log" in text
    assert PASSWORD not in text


def test_our_own_sentences_are_shown_and_harmless() -> None:
    text = crash_report(ConfitureError("no \x1b[2J[/foo]", hint="Do this."), log_file=None)
    assert "no \N{SYMBOL FOR ESCAPE}[2J[/foo] Do this." in text


async def test_a_reader_that_breaks_does_not_break_the_app() -> None:
    service = samples.service()

    def broken(_event: Event) -> None:
        raise RuntimeError("reader")

    service.events.subscribe(broken)
    async with running(service) as driver:
        service.events(Event(name=EventName.CONNECTED, message="still here", at=AT))
        await driver.until_text("still here")
