from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

from confiture_tui.database.embedded.workspace import PREFIX, Workspace, sweep
from tests.support.processes import PythonProcess, is_alive

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from confiture_tui.database.embedded.workspace import Workspace
print(Workspace.create(Path(sys.argv[1])).path, flush=True)
input()
"""


def test_it_is_private_and_goes_with_everything_in_it(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    assert workspace.path.parent == tmp_path
    assert workspace.path.name.startswith(PREFIX)
    assert stat.S_IMODE(workspace.path.stat().st_mode) == 0o700
    (workspace.path / "data" / "base").mkdir(parents=True)
    workspace.remove()
    workspace.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_living_owners_directory_stays_and_a_dead_ones_goes(tmp_path: Path) -> None:
    mine = Workspace.create(tmp_path)
    with PythonProcess(HOLD, str(tmp_path)) as python:
        other = tmp_path / python.line()
        assert sweep((tmp_path,)) == []
        python.process.kill()
        python.process.wait()
        assert sweep((tmp_path,)) == [other]
    assert list(tmp_path.iterdir()) == [mine.path]
    mine.remove()


FORK = """
import os, sys
from pathlib import Path
import confiture_tui.database.embedded
from confiture_tui.database.embedded.workspace import Workspace
print(Workspace.create(Path(sys.argv[1])).path, flush=True)
child = os.fork()
if child:
    print(child, flush=True)
input()
"""


def test_a_child_that_the_owner_forked_does_not_keep_it(tmp_path: Path) -> None:
    with PythonProcess(FORK, str(tmp_path)) as python:
        path, child = tmp_path / python.line(), int(python.line())
        python.process.kill()
        python.process.wait()
        try:
            assert is_alive(child)
            assert sweep((tmp_path,)) == [path]
        finally:
            os.kill(child, signal.SIGKILL)


def test_what_is_not_ours_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "somebody-else").mkdir()
    young = tmp_path / f"{PREFIX}young"
    young.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "owner.lock").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(outside)
    (tmp_path / f"{PREFIX}file").touch()
    linked_lock = tmp_path / f"{PREFIX}linked"
    linked_lock.mkdir()
    (linked_lock / "owner.lock").symlink_to(outside / "owner.lock")
    before = sorted(tmp_path.rglob("*"))
    assert sweep((tmp_path,)) == []
    assert sorted(tmp_path.rglob("*")) == before
    os.utime(young, (0, 0))
    assert sweep((tmp_path, tmp_path / "no such directory")) == [young]


def test_another_users_directory_is_never_touched(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    # As another user it can be seen, and its lock cannot be opened.
    tmp_path.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(workspace.path / "owner.lock", 12345, 12345)
        workspace._alive.discard(workspace)
        os.close(workspace._lock)
        assert sweep((tmp_path,)) == []
    assert workspace.path.exists()


def test_many_processes_sweep_and_make_at_once(tmp_path: Path) -> None:
    """Nobody's fresh directory falls to somebody else's sweep, whatever comes between its steps."""
    script = """
import sys
from pathlib import Path
from confiture_tui.database.embedded.workspace import Workspace, sweep
base = Path(sys.argv[1])
for _ in range(60):
    sweep((base,))
    workspace = Workspace.create(base)
    sweep((base,))
    assert (workspace.path / "owner.lock").exists()
    workspace.remove()
"""
    runs = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(4)]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    assert list(tmp_path.iterdir()) == []
