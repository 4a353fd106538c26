"""Applied, pending, changed, missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.migrations.layouts import LooseFiles, discover
from confiture_tui.core.migrations.ledger import AppliedMigration, Ledger
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.status import MigrationState, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AT = datetime(2026, 1, 1, tzinfo=UTC)


def migrations(*versions: str) -> list[Migration]:
    return [Migration.from_sql(f"SELECT '{version}'", version=version, name="x") for version in versions]


def ledger(rows: Sequence[tuple[str, str | None]]) -> Ledger:
    found = tuple(AppliedMigration(version, "in the ledger", AT, checksum) for version, checksum in rows)
    return Ledger("public", "tb_confiture", found)


def test_without_a_ledger_all_are_pending() -> None:
    found = status_of(migrations("001", "002"), None)
    assert [(one.version, one.state, one.applied_at) for one in found] == [
        ("001", MigrationState.PENDING, None),
        ("002", MigrationState.PENDING, None),
    ]


def test_each_state() -> None:
    first, second, third, fourth = migrations("001", "002", "003", "005")
    rows = [("001", first.checksum.upper()), ("002", "0" * 64), ("003", None), ("004", "x"), ("006", "x"), ("000", "x")]
    found = status_of([first, second, third, fourth], ledger(rows))
    assert [(one.version, str(one.state)) for one in found] == [
        ("000", "missing"),
        ("001", "applied"),
        ("002", "changed"),
        ("003", "applied"),
        ("004", "missing"),
        ("005", "pending"),
        ("006", "missing"),
    ]
    assert found[1].migration is first
    assert found[1].applied_at == AT
    assert (found[4].name, found[4].migration, found[4].path) == ("in the ledger", None, None)


def test_versions_are_compared_as_text() -> None:
    found = status_of(migrations("10", "9"), ledger([("2", None), ("100", None)]))
    assert [one.version for one in found] == ["10", "100", "2", "9"]


def test_files_and_programs(tmp_path: Path) -> None:
    for name in ("001_a.up.sql", "002_b.py", "003_c.py", "004_d.up.sql"):
        (tmp_path / name).write_text(name)
    found = status_of(discover(tmp_path), ledger([("001", "0" * 64), ("002", None)]))
    assert [(one.version, str(one.state), one.path and one.path.name) for one in found] == [
        ("001", "changed", "001_a.up.sql"),
        ("002", "applied", "002_b.py"),
        ("003", "pending", "003_c.py"),
        ("004", "pending", "004_d.up.sql"),
    ]
    assert [one.migration is None for one in found] == [False, True, True, False]


def test_loose_files_keep_their_order(tmp_path: Path) -> None:
    for name in ("9_a.sql", "10_b.sql", "z.sql"):
        (tmp_path / name).write_text("SELECT 1")
    assert [one.version for one in status_of(LooseFiles().discover(tmp_path), None)] == ["9", "10", ""]


VERSIONS = st.lists(st.text(alphabet="0129", min_size=1, max_size=4), unique=True)


@given(VERSIONS, VERSIONS)
def test_every_version_stands_once_and_in_order(files: list[str], applied: list[str]) -> None:
    found = status_of(migrations(*sorted(files)), ledger([(version, None) for version in applied]))
    assert [one.version for one in found] == sorted({*files, *applied})
    for one in found:
        expected = {
            (True, True): MigrationState.APPLIED,
            (True, False): MigrationState.PENDING,
            (False, True): MigrationState.MISSING,
        }[one.version in files, one.version in applied]
        assert one.state is expected


@given(VERSIONS, VERSIONS)
def test_files_in_any_order_keep_it(files: list[str], applied: list[str]) -> None:
    found = status_of(migrations(*files), ledger([(version, None) for version in applied]))
    assert [one.version for one in found if one.migration is not None] == files
    assert len(found) == len({*files, *applied})
