"""What is written of a way back that was derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run.result import DerivedDown, DryRunResult, RoundTrip
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.sql.script import Script
from confiture_tui.errors import UsageError
from confiture_tui.service.derived import write_derived_down
from tests.ui import samples

if TYPE_CHECKING:
    from pathlib import Path

UP = "CREATE TABLE jar (id int)"


def derived(migration: Migration, sql: str = "DROP TABLE jar;\n") -> DryRunResult:
    proved = DerivedDown(sql=sql, round_trip=RoundTrip(schema_proved=True))
    return samples.safe_result().model_copy(update={"derived_down": proved, "checksum": migration.checksum})


def made(directory: Path, name: str = "jar") -> Migration:
    path = directory / "001_jar.up.sql"
    path.write_text(UP, encoding="utf-8")
    return Migration.from_sql(UP, version="001", name=name, path=path)


@pytest.mark.parametrize("name", ["jar\nDROP TABLE precious; --", "jar\r\u2028x", "jar\udcff"])
def test_the_name_of_a_file_is_never_more_than_a_comment(tmp_path: Path, name: str) -> None:
    migration = made(tmp_path, name)
    written = write_derived_down(migration, derived(migration))
    assert written == tmp_path / "001_jar.down.sql"
    assert [one.sql for one in Script.from_text(written.read_text(encoding="utf-8")).statements] == ["DROP TABLE jar"]


def test_half_a_way_back_is_none(tmp_path: Path) -> None:
    migration = made(tmp_path)
    with pytest.raises(UnicodeEncodeError):
        write_derived_down(migration, derived(migration, "DROP TABLE \udcff;\n"))
    assert [one.name for one in tmp_path.iterdir()] == ["001_jar.up.sql"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    migration = made(tmp_path)
    mine = tmp_path / "001_jar.down.sql"
    mine.write_text("-- mine")
    with pytest.raises(UsageError, match="never overwritten"):
        write_derived_down(migration, derived(migration))
    assert mine.read_text() == "-- mine"


@pytest.mark.parametrize("now", ["CREATE TABLE jar (id bigint)", None])
def test_a_file_that_has_changed_since_gets_no_way_back(tmp_path: Path, now: str | None) -> None:
    migration = made(tmp_path)
    assert migration.path is not None
    migration.path.unlink()
    if now is not None:
        migration.path.write_text(now)
    with pytest.raises(UsageError, match="changed since it was tried"):
        write_derived_down(migration, derived(migration))
    assert not (tmp_path / "001_jar.down.sql").exists()
