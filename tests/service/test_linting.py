"""Linting through the service: the demo's rules, what its migrations change, and projects of files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from confiture_tui.cli.output.lint import reported, write_lint
from confiture_tui.cli.output.page import Page
from confiture_tui.config import Settings
from confiture_tui.core.lint.model import Severity
from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.secret import Secret
from confiture_tui.service import MigrationService
from confiture_tui.service.linting import LintRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

HOSTILE = "we[/b]ird \x1b[31m\u202ename"


@pytest.fixture
async def service_on(tmp_path: Path) -> AsyncIterator[Callable[..., MigrationService]]:
    """``service_on(files, dsn=…)`` makes a service on a project of these migrations; it is closed after the test."""
    made: list[MigrationService] = []

    def make(files: dict[str, str], *, settings: str = "", dsn: Dsn | None = None) -> MigrationService:
        migrations = tmp_path / "db" / "migrations"
        migrations.mkdir(parents=True)
        for name, sql in files.items():
            (migrations / name).write_text(sql)
        config = tmp_path / "confiture.yaml"
        config.write_text(settings)
        secret = Secret(dsn.conninfo()) if dsn else None
        given = Settings(project_dir=tmp_path, migrations_dir=migrations, config_file=config, dsn=secret)
        made.append(MigrationService(given))
        return made[-1]

    yield make
    for service in made:
        await service.close()


async def test_the_demo_shows_the_rules_of_its_house_and_what_its_migrations_change(tmp_path: Path) -> None:
    service = MigrationService(Settings(project_dir=tmp_path, migrations_dir=tmp_path / "db" / "migrations"), demo=True)
    try:
        await service.open()
        result = await service.lint(LintRequest())
        with pytest.raises(UsageError, match="part of the program"):
            await service.lint(LintRequest(fix=True))
    finally:
        await service.close()
    assert {"multi-tenant", "write_side_naming", "view_naming"} <= set(result.report.rules)
    # The shop keeps to the rules of its house.
    assert not [one for one in result.violations if one.rule in ("multi-tenant", "write_side_naming", "view_naming")]
    assert not result.report.at_least(Severity.ERROR)
    assert result.comparison is not None
    # 010 adds a reference without an index; 013 gives the lines' key room.
    added = {(one.rule, one.object) for one in result.comparison.added}
    fixed = {(one.rule, one.object) for one in result.comparison.fixed}
    assert ("missing-index", "public.w_order_line.w_order_line_batch_fkey") in added
    assert ("int-primary-key", "public.w_order_line.order_line_id") in fixed
    place = result.places[next(iter(result.added))]
    assert place.path.name.startswith("010_")
    page = Page()
    write_lint(page, result, result.violations, fixes=True)
    assert "CREATE INDEX CONCURRENTLY" in page.text()


async def test_hostile_names_are_shown_and_do_nothing(service_on: Callable[..., MigrationService]) -> None:
    quoted = f'"{HOSTILE}"'
    service = service_on({"001_t.up.sql": f"CREATE TABLE {quoted} (a text);\n", "001_t.down.sql": "SELECT 1;\n"})
    await service.open()
    result = await service.lint(LintRequest(fix=True, review_fixes=True, rules=("primary-key",)))
    page = Page(colour=False)
    write_lint(page, result, result.violations, fixes=True)
    assert "\x1b" not in page.text()
    assert "\u202e" not in page.text()
    assert "we[/b]ird" in page.text()
    assert reported(result.violations, result, None)[0].object == f"public.{quoted}"
    assert result.fixes is not None
    assert [path.name for path in result.fixes.paths] == ["002_lint_fixes.up.sql", "002_lint_fixes.down.sql"]


async def test_a_file_that_is_there_is_never_overwritten(service_on: Callable[..., MigrationService]) -> None:
    service = service_on({"001_t.up.sql": "CREATE TABLE t (a text);\n", "002_lint_fixes.down.sql": "SELECT 'mine';\n"})
    await service.open()
    assert service.project is not None
    directory = service.project.directory / "db" / "migrations"
    with pytest.raises(ConfitureError, match="cannot be written"):
        await service.lint(LintRequest(rules=("primary-key",), fix=True, review_fixes=True))
    assert (directory / "002_lint_fixes.down.sql").read_text() == "SELECT 'mine';\n"
    assert not (directory / "002_lint_fixes.up.sql").exists()


async def test_a_migration_that_fails_is_left_out_and_said(
    service_on: Callable[..., MigrationService], database: Dsn
) -> None:
    files = {"001_bad.up.sql": "SELECT 1/0;\n", "002_t.up.sql": "CREATE TABLE t (a text);\n"}
    service = service_on(files, settings="linting:\n  rules:\n    documentation: off\n", dsn=database)
    await service.open()
    result = await service.lint(LintRequest())
    assert {one.rule for one in result.violations} == {"primary-key"}
    assert result.added == {one.key for one in result.violations}
    assert any("001_bad" in note and "22012" in note for note in result.notes)
    quick = await service.lint(LintRequest(pending=False))
    assert quick.comparison is None
    assert not quick.violations


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [("database", "else", "database (else)"), ("server_version", 90_605, "major version of PostgreSQL (9)")],
)
async def test_a_baseline_of_elsewhere_is_told(
    service_on: Callable[..., MigrationService], database: Dsn, tmp_path: Path, key: str, value: object, told: str
) -> None:
    service = service_on({"001_t.up.sql": "CREATE TABLE t (a text);\n"}, dsn=database)
    await service.open()
    file = tmp_path / "lint-baseline.json"
    request = LintRequest(baseline=file, pending=False)
    await service.lint(request.model_copy(update={"update_baseline": True}))
    assert not (await service.lint(request)).notes
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    assert (await service.lint(request)).notes == (f"{file} was made on another {told}.",)


async def test_what_is_let_pass_from_a_screen_is_found_no_more(
    service_on: Callable[..., MigrationService], database: Dsn, tmp_path: Path
) -> None:
    files = {"001_t.up.sql": f'CREATE TABLE t (a text); CREATE TABLE "{HOSTILE}*" (a text);\n'}
    service = service_on(files)
    await service.open()

    async def found() -> set[str]:
        return {one.object for one in (await service.lint(LintRequest(rules=("primary-key",)))).violations}

    odd = f'public."{HOSTILE}*"'
    assert await found() == {"public.t", odd}
    await service.ignore_finding(rule="primary-key", object=odd, reason="it is odd")
    assert await found() == {"public.t"}
    await service.name_baseline()
    updated = await service.lint(LintRequest(rules=("primary-key",), update_baseline=True, pending=False))
    assert updated.baseline == tmp_path / "lint-baseline.json"
    assert await found() == set()
    await service.name_baseline()
    assert (tmp_path / "confiture.yaml").read_text().count("lint-baseline.json") == 1


async def test_nothing_is_written_into_the_demo_s_project(tmp_path: Path) -> None:
    service = MigrationService(Settings(project_dir=tmp_path, migrations_dir=tmp_path), demo=True)
    for work in (service.ignore_finding(rule="x", object="y", reason="z"), service.name_baseline()):
        with pytest.raises(UsageError, match="part of the program"):
            await work
    await service.close()
