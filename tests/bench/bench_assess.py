"""How long it takes to assess many files without a database, beside ``squawk`` on the same files in the same run.

``python -m tests.bench.bench_assess [DIRECTORY…]``: the SQL files below the directories; without one, the forms of the
differential tests, each as a file. Prints both times and their ratio, and how the time grows with the size of one file.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from confiture_tui.core.migrations.layouts import LooseFiles
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from tests.core.effects.differential.forms import FORMS

SQUAWK = "squawk-cli"
ROUNDS = 3
_STATEMENTS = (
    "ALTER TABLE orders_{n} ADD COLUMN note_{n} text NOT NULL DEFAULT 'x';\n"
    "CREATE INDEX orders_{n}_note ON orders_{n} (note_{n});\n"
    "ALTER TABLE orders_{n} ADD CONSTRAINT positive_{n} CHECK (total > 0);\n"
    "UPDATE orders_{n} SET total = total + 1 WHERE id < 100;\n"
)


def _files(directories: list[str], place: Path) -> list[Path]:
    if directories:
        return sorted(path for one in directories for path in Path(one).rglob("*.sql"))
    found = []
    for number, form in enumerate(FORMS):
        path = place / f"{number:04}.sql"
        path.write_text(form.sql)
        found.append(path)
    return found


def _ours(files: list[Path]) -> tuple[float, int]:
    started = time.perf_counter()
    engine = RiskAssessmentEngine()
    statements = 0
    for migration in LooseFiles().of_paths(files).migrations:
        statements += engine.assess(migration).analysed[1]
    return time.perf_counter() - started, statements


def _theirs(files: list[Path]) -> float | None:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        return None
    command = [uv, "tool", "run", "--from", SQUAWK, "squawk"]
    if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode:
        return None
    # Its own start, which uv makes longer, is not what is measured.
    empty = time.perf_counter()
    subprocess.run([*command, "--version"], capture_output=True, check=False)
    start = time.perf_counter() - empty
    began = time.perf_counter()
    subprocess.run([*command, *map(str, files)], capture_output=True, check=False)
    return max(time.perf_counter() - began - start, 1e-6)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _growth() -> None:
    engine = RiskAssessmentEngine()
    _say("one file, ms a statement:")
    for size in (100, 1_000, 4_000):
        text = "".join(_STATEMENTS.format(n=number) for number in range(size // 4))
        migration = Migration.from_sql(text)
        started = time.perf_counter()
        engine.assess(migration)
        _say(f"  {size:>6,} statements {(time.perf_counter() - started) / size * 1000:8.3f}")


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as place:
        files = _files(sys.argv[1:], Path(place))
        runs = [_ours(files) for _ in range(ROUNDS)]
        ours, statements = statistics.median(run[0] for run in runs), runs[0][1]
        theirs = [_theirs(files) for _ in range(ROUNDS)]
    _say(
        f"{len(files):,} files, {statements:,} statements: {ours:.2f} s, {ours / statements * 1000:.3f} ms a statement"
    )
    if None in theirs:
        _say("squawk is not to be had here: no ratio")
    else:
        median = statistics.median(one for one in theirs if one is not None)
        _say(f"squawk on the same files: {median:.2f} s; ratio {ours / median:.1f}")
    _growth()


if __name__ == "__main__":
    main()
