from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from confiture_tui.core.migrations import stamp
from confiture_tui.core.migrations.stamp import stamp_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it does not tell when anything of a file was changed")


def later() -> int:
    """A time at which everything that was just written was written long ago."""
    return time.time_ns() + 60_000_000_000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "below").mkdir()
    for name in ("001_a.up.sql", "002_b.up.sql", "below/up.sql"):
        (tmp_path / name).write_text("SELECT 1;\n")
    return tmp_path


def test_what_nobody_touches_has_the_same_stamp(directory: Path) -> None:
    assert stamp_of(directory, now=later()) is not None
    assert stamp_of(directory, now=later()) == stamp_of(directory, now=later())


def test_what_was_written_just_now_has_none(directory: Path) -> None:
    assert stamp_of(directory) is None


def same_size(directory: Path) -> None:
    (directory / "001_a.up.sql").write_text("SELECT 2;\n")


def with_its_old_time(directory: Path) -> None:
    path = directory / "001_a.up.sql"
    before = path.stat()
    path.write_text("SELECT 2;\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(directory: Path) -> None:
    (directory / "new").write_text("SELECT 2;\n")
    (directory / "new").replace(directory / "001_a.up.sql")


def below(directory: Path) -> None:
    (directory / "below/up.sql").write_text("SELECT 2;\n")


def another(directory: Path) -> None:
    (directory / "below/down.sql").write_text("")


def gone(directory: Path) -> None:
    (directory / "002_b.up.sql").unlink()


def not_to_be_read(directory: Path) -> None:
    (directory / "002_b.up.sql").chmod(0)


@pytest.mark.parametrize("change", [same_size, with_its_old_time, replaced, below, another, gone, not_to_be_read])
def test_every_change_gives_another(directory: Path, change: object) -> None:
    before = stamp_of(directory, now=later())
    time.sleep(0.02)  # more than the grain of this file system's clock: what the two seconds are for
    assert callable(change)
    change(directory)
    assert stamp_of(directory, now=later()) not in (before, None)


def test_what_a_link_leads_to_is_looked_at(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.sql"
    elsewhere.write_text("SELECT 1;\n")
    (directory / "003_c.up.sql").symlink_to(elsewhere)
    before = stamp_of(directory, now=later())
    time.sleep(0.02)
    elsewhere.write_text("SELECT 2;\n")
    assert stamp_of(directory, now=later()) not in (before, None)


def test_where_it_cannot_be_told_there_is_none(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamp, "_MOST", 2)
    assert stamp_of(directory, now=later()) is None
    monkeypatch.undo()
    (directory / "loop").symlink_to(directory)
    assert stamp_of(directory, now=later()) is None
    (directory / "loop").unlink()
    (directory / "nowhere").symlink_to(directory / "gone")
    assert stamp_of(directory, now=later()) is None
    assert stamp_of(directory / "gone", now=later()) is None
