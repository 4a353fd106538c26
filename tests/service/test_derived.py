"""What is written of a way back that was derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run.result import DerivedDown, RoundTrip
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.sql.script import Script
from confiture_tui.service.derived import write_derived_down
from tests.ui import samples

if TYPE_CHECKING:
    from pathlib import Path

DERIVED = samples.safe_result().model_copy(
    update={"derived_down": DerivedDown(sql="DROP TABLE jar;\n", round_trip=RoundTrip(schema_proved=True))}
)


@pytest.mark.parametrize("name", ["jar\nDROP TABLE precious; --", "jar\r\u2028x", "jar\udcff"])
def test_the_name_of_a_file_is_never_more_than_a_comment(tmp_path: Path, name: str) -> None:
    migration = Migration.from_sql("SELECT 1", version="001", name=name, path=tmp_path / "001_jar.up.sql")
    written = write_derived_down(migration, DERIVED)
    assert written == tmp_path / "001_jar.down.sql"
    assert [one.sql for one in Script.from_text(written.read_text(encoding="utf-8")).statements] == ["DROP TABLE jar"]


def test_half_a_way_back_is_none(tmp_path: Path) -> None:
    broken = DerivedDown(sql="DROP TABLE \udcff;\n", round_trip=RoundTrip(schema_proved=True))
    migration = Migration.from_sql("SELECT 1", version="001", name="jar", path=tmp_path / "001_jar.up.sql")
    with pytest.raises(UnicodeEncodeError):
        write_derived_down(migration, DERIVED.model_copy(update={"derived_down": broken}))
    assert not list(tmp_path.iterdir())
