"""The server runs as root and as an ordinary user, and changes nothing but its own directory."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import psycopg
import pytest

from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer, cluster, find_binaries
from confiture_tui.database.embedded.identity import Identity, identities, open_to_everybody
from confiture_tui.errors import ConnectError
from tests.support.processes import ROOT

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def permissions(path: Path) -> list[tuple[str, int, int, int]]:
    """Mode and owners of a path and of every directory above it."""
    found = ((one, one.stat()) for one in (path, *path.parents))
    return [(str(one), about.st_mode, about.st_uid, about.st_gid) for one, about in found]


def test_no_user_is_made_and_no_permission_changed_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from confiture_tui.database.embedded import server as module

    base = tmp_path / "private"
    base.mkdir(mode=0o700)
    monkeypatch.setattr(module, "data_base", lambda: base)
    watched = (base, find_binaries(None).directory, Path(sys.executable).parent, Path("/dev/shm"))
    before = [permissions(path) for path in watched], Path("/etc/passwd").read_bytes()
    with EmbeddedServer.start() as server:
        assert server.directory.parent == base
        assert ([permissions(path) for path in watched], Path("/etc/passwd").read_bytes()) == before
        assert {path.stat().st_uid for path in server.directory.rglob("*")} == {os.geteuid()}
    assert ([permissions(path) for path in watched], Path("/etc/passwd").read_bytes()) == before
    assert list(base.iterdir()) == []


def drop() -> Identity:
    nobody = pwd.getpwnam("nobody")
    return Identity("drop", nobody.pw_uid, nobody.pw_gid)


def refused() -> Identity:
    """What a container without user namespaces answers: the kernel does not map a user -1."""
    return Identity("namespace", 2**32 - 1, 2**32 - 1)


@as_root
def test_where_user_namespaces_are_forbidden_it_runs_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "identities", lambda: iter([refused(), drop()]))
    with EmbeddedServer.start() as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == drop().uid
        with connect(server.dsn()) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        assert (server.directory / "data").stat().st_uid == drop().uid
    assert not server.directory.exists()


@as_root
def test_programs_that_nobody_can_read_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "identities", lambda: iter([drop()]))
    found = find_binaries(None).directory
    if found.name != "bin" or not (found.parent / "share").is_dir():
        pytest.skip("these programs cannot be moved")
    package = tmp_path / "hidden" / found.parents[1].name
    hidden = package / found.parent.name / "bin"
    shutil.copytree(found.parent, hidden.parent, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = found.parents[1].with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, package.with_name(libraries.name), symlinks=True)
    package.chmod(0o700)
    assert not open_to_everybody(hidden)
    before = permissions(hidden)
    with EmbeddedServer.start(pg_bin=hidden) as server:
        with connect(server.dsn()) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        assert server.bin_dir != hidden
        assert str(hidden) in server.source
        assert permissions(hidden) == before
    assert not server.bin_dir.exists()


@as_root
def test_a_closed_temporary_directory_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from confiture_tui.database.embedded import server as module

    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(module, "data_base", lambda: closed)
    monkeypatch.setattr(cluster, "identities", lambda: iter([drop()]))
    with pytest.raises(ConnectError, match="is closed to others") as caught:
        EmbeddedServer.start()
    assert "TMPDIR" in caught.value.hint
    assert list(closed.iterdir()) == []


def test_no_identity_at_all_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "identities", lambda: iter([refused()]))
    with pytest.raises(ConnectError, match=r"it may not run as this user: namespace:.*Invalid argument") as caught:
        EmbeddedServer.start()
    assert "--dsn" in caught.value.hint


ORDINARY = """
import os, sys
from pathlib import Path
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
with EmbeddedServer.start() as server:
    assert connect(server.dsn()).execute("SELECT 1").fetchone() == (1,)
    assert Path(f"/proc/{server.pid}").stat().st_uid == os.geteuid() != 0
    assert server.directory.stat().st_uid == os.geteuid()
print("served", os.geteuid())
"""


@pytest.fixture
def open_python(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A Python that everybody can run, with the environment that makes it find this project and its dependencies."""
    site = Path(psycopg.__file__).parents[1]
    for path in (site, ROOT / "confiture_tui", find_binaries(None).directory):
        if not open_to_everybody(path):
            pytest.skip(f"{path} is closed to an ordinary user")
    environment = {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}
    interpreter = Path(sys.executable).resolve()
    if open_to_everybody(interpreter.parent):
        return interpreter, environment
    # It lies below a closed home, as pyenv and uv put it: take a copy of what an interpreter needs.
    copy = Path("/tmp") / f"open-python-{os.getpid()}"
    library = Path(sysconfig.get_path("stdlib"))
    target = copy / "lib" / library.name
    ignored = shutil.ignore_patterns("test", "tests", "idlelib", "site-packages", "__pycache__", "config-*")
    shutil.copytree(library, target, ignore=ignored)
    for shared in Path(sys.base_prefix, "lib").glob("libpython*.so*"):
        shutil.copy(shared, copy / "lib")
    (copy / "bin").mkdir()
    shutil.copy(interpreter, copy / "bin" / interpreter.name)
    return copy / "bin" / interpreter.name, environment | {"LD_LIBRARY_PATH": str(copy / "lib")}


@as_root
def test_as_an_ordinary_user(open_python: tuple[Path, dict[str, str]]) -> None:
    interpreter, environment = open_python
    nobody = pwd.getpwnam("nobody")
    try:
        done = subprocess.run(
            [str(interpreter), "-c", ORDINARY],
            env=environment,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        if interpreter.parents[1].name.startswith("open-python-"):
            shutil.rmtree(interpreter.parents[1])
    assert (done.returncode, done.stdout) == (0, f"served {nobody.pw_uid}\n"), done.stderr


@as_root
def test_a_user_without_a_name_is_seen_as_nobody() -> None:
    """As in a container that is run with any number for a user."""
    script = (
        "import os, pwd\n"
        "from confiture_tui.database.embedded.identity import identities\n"
        "os.setgid(54321)\n"
        "os.setuid(54321)\n"
        "print(*(one.word for one in identities()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    nobody = pwd.getpwnam("nobody")
    assert done.stdout == f"namespace:{nobody.pw_uid}:{nobody.pw_gid}\n", done.stderr


def test_the_present_user_has_a_way() -> None:
    ways = [identity.how for identity in identities()]
    assert ways == (["namespace", "drop"] if os.geteuid() == 0 else ["same"])
