"""A file is written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_it_takes_the_place_of_the_old_one(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    with whole_file(path, mode=mode) as beside:
        assert beside.stat().st_mode & 0o777 == 0o600
        beside.write_text("whole")
        assert path.read_text() == "old"
    assert path.read_text() == "whole"
    assert path.stat().st_mode & 0o777 == mode
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_what_goes_wrong_leaves_the_old_one(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "kept"
    path.write_text("old")

    def fail() -> None:
        with whole_file(path) as beside:
            beside.write_text("ha")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
