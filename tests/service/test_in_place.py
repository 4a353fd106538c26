"""The service's dry run on the target: who may, who may not, and what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.config import Settings
from confiture_tui.core.dry_run.result import On, Rows, Verdict
from confiture_tui.database.dsn import Dsn
from confiture_tui.errors import Cancelled, ConnectError, UsageError
from confiture_tui.events import EventName
from confiture_tui.secret import Secret
from confiture_tui.service import MigrationService
from confiture_tui.service.in_place import InPlaceOptions
from tests.support.everything import Everything

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE jar (id serial PRIMARY KEY, label text);
INSERT INTO jar (label) SELECT 'jam' FROM generate_series(1, 50);
ALTER TABLE jar OWNER TO plain;
GRANT CREATE ON SCHEMA public TO plain;
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_size.up.sql").write_text("ALTER TABLE jar ADD COLUMN size int;\n")
    (migrations / "002_one_more.up.sql").write_text("INSERT INTO jar (label, size) VALUES ('x', 1);\n")
    (migrations / "003_label.up.sql").write_text("ALTER TABLE jar ALTER COLUMN label SET NOT NULL;\n")
    (migrations / "004_slow.up.sql").write_text("ALTER TABLE jar ADD COLUMN y int;\nSELECT pg_sleep(60);\n")
    return tmp_path


@pytest.fixture
def target(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Dsn:
    """The database, for its superuser."""
    server.create_login("plain")
    return database_from(SCHEMA)


@pytest.fixture
async def service_on(project: Path) -> AsyncIterator[Callable[..., MigrationService]]:
    made: list[MigrationService] = []

    def make(dsn: Dsn | None, **settings: Any) -> MigrationService:
        secret = Secret(dsn.conninfo()) if dsn else None
        given = Settings(project_dir=project, migrations_dir=project / "db" / "migrations", dsn=secret, **settings)
        made.append(MigrationService(given))
        return made[-1]

    yield make
    for service in made:
        await service.close()


def plain(target: Dsn) -> Dsn:
    return Dsn.of_parameters(target.parameters() | {"user": "plain"}, source="the test")


async def test_it_runs_on_the_target_and_leaves_nothing(
    service_on: Callable[..., MigrationService], target: Dsn
) -> None:
    with psycopg.connect(target.conninfo(), autocommit=True) as admin:
        before = Everything.of(admin)
        service = service_on(plain(target))
        await service.open()
        result = await service.dry_run("001", on="target")
        before.must_be(Everything.of(admin))
    assert (result.on, result.rows, result.ok) == (On.TARGET, Rows.FULL, True)
    assert result.proof.nothing_persisted is True
    assert result.statements[0].locks is not None
    assert service.results["001"] is result
    with pytest.raises(ValueError, match="moon"):
        service.dry_run("001", on="moon")


async def test_what_came_first_is_not_there(service_on: Callable[..., MigrationService], target: Dsn) -> None:
    service = service_on(plain(target))
    await service.open()
    result = await service.dry_run("002", on="target")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert any("001_size" in note and "not applied" in note for note in result.notes)
    assert (await service.dry_run("003", on="target")).ok


async def test_what_a_runner_would_commit_in_between(
    service_on: Callable[..., MigrationService], target: Dsn, project: Path
) -> None:
    """A loose file promises no transaction: that one of ours is in the way does not make it fail."""
    (project / "db" / "migrations" / "005_enum.up.sql").write_text(
        "ALTER TYPE mood ADD VALUE 'glad';\nALTER TABLE jar ALTER COLUMN mood SET DEFAULT 'glad';\n"
    )
    with psycopg.connect(target.conninfo(), autocommit=True) as admin:
        admin.execute("CREATE TYPE mood AS ENUM ('sad'); ALTER TYPE mood OWNER TO plain")
        admin.execute("ALTER TABLE jar ADD COLUMN mood mood")
    for runner, verdict in (("loose", Verdict.INCONCLUSIVE), ("confiture-tui", Verdict.FAILS)):
        service = service_on(plain(target), runner=runner)
        await service.open()
        result = await service.dry_run("005", on="target")
        assert result.failure is not None
        assert result.failure.sqlstate == "55P04"
        assert result.verdict is verdict
        assert any("each statement by itself" in note for note in result.notes) is (runner == "loose")


async def test_a_read_only_session_refuses(service_on: Callable[..., MigrationService], target: Dsn) -> None:
    service = service_on(plain(target), read_only=True)
    await service.open()
    with pytest.raises(UsageError, match="read-only"):
        await service.dry_run("001", on="target")


async def test_without_a_target_there_is_nothing_to_try_on(service_on: Callable[..., MigrationService]) -> None:
    service = service_on(None)
    await service.open()
    with pytest.raises(UsageError, match="no target"):
        await service.dry_run("001", on="target")


@pytest.mark.parametrize("settings", [{"env": "production"}, {"env": "shop", "production": True}])
async def test_production_wants_its_name(
    service_on: Callable[..., MigrationService], target: Dsn, settings: dict[str, Any]
) -> None:
    service = service_on(plain(target), **settings)
    await service.open()
    name = target.parameters()["dbname"]
    for typed in (None, "", "shop", name.upper()):
        with pytest.raises(UsageError, match="production") as refused:
            await service.dry_run("001", on="target", options=InPlaceOptions(confirmation=typed))
        assert name in refused.value.hint
    assert (await service.dry_run("001", on="target", options=InPlaceOptions(confirmation=name))).ok


async def test_a_superuser_wants_leave_or_another_role(
    service_on: Callable[..., MigrationService], target: Dsn
) -> None:
    service = service_on(target)
    await service.open()
    with pytest.raises(UsageError, match="superuser") as refused:
        await service.dry_run("001", on="target")
    assert "--as" in refused.value.hint
    assert (await service.dry_run("001", on="target", options=InPlaceOptions(allow_superuser=True))).ok
    result = await service.dry_run("001", on="target", options=InPlaceOptions(as_role="plain"))
    assert result.ok
    assert any("as the role plain, which logged in itself" in note for note in result.notes)


async def test_a_role_that_cannot_log_in_is_set_and_said(
    service_on: Callable[..., MigrationService], target: Dsn
) -> None:
    with psycopg.connect(target.conninfo(), autocommit=True) as admin:
        admin.execute("CREATE ROLE in_place_owner NOLOGIN")
        try:
            admin.execute("GRANT in_place_owner TO plain")
            admin.execute("ALTER TABLE jar OWNER TO in_place_owner")
            service = service_on(plain(target))
            await service.open()
            result = await service.dry_run("001", on="target", options=InPlaceOptions(as_role="in_place_owner"))
            assert result.ok, result.failure
            assert any("by SET ROLE" in note and "RESET ROLE" in note for note in result.notes)
            with pytest.raises(UsageError, match="nobody_at_all"):
                await service.dry_run("001", on="target", options=InPlaceOptions(as_role="nobody_at_all"))
            above = service_on(target)
            await above.open()
            with pytest.raises(UsageError, match="superuser"):
                await above.dry_run("001", on="target", options=InPlaceOptions(as_role="in_place_owner"))
        finally:
            admin.execute("ALTER TABLE jar OWNER TO plain")
            admin.execute("DROP OWNED BY in_place_owner; DROP ROLE in_place_owner")


async def test_a_cancel_rolls_it_back(service_on: Callable[..., MigrationService], target: Dsn) -> None:
    service = service_on(plain(target))
    await service.open()
    with psycopg.connect(target.conninfo(), autocommit=True) as admin:
        before = Everything.of(admin)
        job = service.dry_run("004", on="target")
        service.events.subscribe(lambda event: job.cancel() if event.name is EventName.STATEMENT_COMPLETED else None)
        with pytest.raises(Cancelled):
            await job
        before.must_be(Everything.of(admin))


async def test_a_target_that_has_gone_is_a_sentence(
    service_on: Callable[..., MigrationService], target: Dsn, server: EmbeddedServer
) -> None:
    service = service_on(plain(target))
    await service.open()
    server.drop_database(target.parameters()["dbname"])
    with pytest.raises(ConnectError, match="There is no database"):
        await service.dry_run("001", on="target")


async def test_its_hooks_are_listed_with_the_reason_why_they_did_not_run(
    service_on: Callable[..., MigrationService], target: Dsn, project: Path
) -> None:
    (project / "db" / "migrations" / "001_size.hooks.yaml").write_text(
        "hooks:\n  - hook: analyze_tables\n    options:\n      tables: [jar]\n"
        "  - hook: verify_consistency\n    direction: backward\n    options: {}\n"
    )
    service = service_on(plain(target))
    await service.open()
    result = await service.dry_run("001", on="target")
    (hook,) = result.hooks
    assert (hook.hook, hook.outcome) == ("analyze_tables", "not_exercised")
    assert hook.error is not None
    assert "shadow" in hook.error
    assert (await service.dry_run("003", on="target")).hooks == ()
