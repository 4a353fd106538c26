"""How long it takes to assess many files without a database, beside ``squawk`` on the same files in the same run.

``python -m tests.bench.bench_assess [DIRECTORY…]``: the SQL files below the directories; without one, the forms of the
differential tests, each as a file. Prints both times, by the clock and of the processor, with their ratios, and how the
time grows with the size of one file: of several kinds of statement, each on a table of its own, and of files that do
one thing to ten thousand tables in one transaction. The processor's time is what can be compared on a machine that does
other work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

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
_ONE_THING = {
    "ALTER TABLE … ADD COLUMN": "ALTER TABLE orders_{n} ADD COLUMN note text;\n",
    "ADD COLUMN and UPDATE": "ALTER TABLE orders_{n} ADD COLUMN note text;\nUPDATE orders_{n} SET note = 'x';\n",
    "CHECK NOT VALID and VALIDATE": "ALTER TABLE orders_{n} ADD CONSTRAINT c_{n} CHECK (total > 0) NOT VALID;\n"
    "ALTER TABLE orders_{n} VALIDATE CONSTRAINT c_{n};\n",
    "RENAME TO": "ALTER TABLE orders_{n} RENAME TO purchases_{n};\n",
    "DROP TABLE": "DROP TABLE orders_{n};\n",
    "SECURITY DEFINER function": "CREATE FUNCTION f_{n}() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';\n",
}


def _files(directories: list[str], place: Path) -> list[Path]:
    if directories:
        return sorted(path for one in directories for path in Path(one).rglob("*.sql"))
    found = []
    for number, form in enumerate(FORMS):
        path = place / f"{number:04}.sql"
        path.write_text(form.sql)
        found.append(path)
    return found


class Spent(NamedTuple):
    """Seconds by the clock and of the processor."""

    clock: float
    processor: float

    def without(self, other: Spent) -> Spent:
        """The difference, never nothing at all."""
        return Spent(max(self.clock - other.clock, 1e-6), max(self.processor - other.processor, 1e-6))


def _least(runs: Sequence[Spent]) -> Spent:
    """Of several runs: what others do on the machine meanwhile only ever adds."""
    return Spent(min(run.clock for run in runs), min(run.processor for run in runs))


def _ours(files: list[Path]) -> tuple[Spent, int]:
    clock, processor = time.perf_counter(), time.process_time()
    migrations = LooseFiles().of_paths(files).migrations
    found = RiskAssessmentEngine().assess_each(migrations)
    spent = Spent(time.perf_counter() - clock, time.process_time() - processor)
    return spent, sum(each.analysed[1] for each in found)


def _run(command: Sequence[str]) -> Spent:
    clock, before = time.perf_counter(), os.times()
    subprocess.run(command, capture_output=True, check=False)
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(time.perf_counter() - clock, processor)


def _theirs(files: list[Path]) -> Spent | None:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        return None
    command = [uv, "tool", "run", "--from", SQUAWK, "squawk"]
    if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode:
        return None
    # Its own start, which uv makes longer, is not what is measured.
    start = _run([*command, "--version"])
    return _run([*command, *map(str, files)]).without(start)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _in_words(spent: Spent) -> str:
    return f"{spent.clock:.2f} s by the clock, {spent.processor:.2f} s of the processor"


def _growth() -> None:
    _say("one file, ms of the processor a statement:")
    for size in (100, 1_000, 10_000):
        text = _repeated(_STATEMENTS, size)
        _say(f"  {size:>6,} statements, {len(text) / 1e6:.2f} MB {_a_statement(text, size):8.3f}")
    _say("one transaction, ms of the processor a statement with 1,000 and with 10,000 of them:")
    for name, form in _ONE_THING.items():
        few, many = (_a_statement(f"BEGIN;\n{_repeated(form, size)}COMMIT;\n", size) for size in (1_000, 10_000))
        _say(f"  {name:<30} {few:8.3f} {many:8.3f}")


def _repeated(form: str, size: int) -> str:
    """So many statements, in files of a form that holds one or more."""
    return "".join(form.format(n=number) for number in range(size // form.count(";")))


def _a_statement(text: str, size: int) -> float:
    migration = Migration.from_sql(text)
    started = time.process_time()
    RiskAssessmentEngine().assess(migration)
    return (time.process_time() - started) / size * 1000


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as place:
        files = _files(sys.argv[1:], Path(place))
        runs = [_ours(files) for _ in range(ROUNDS)]
        theirs = [_theirs(files) for _ in range(ROUNDS)]
    ours, statements = _least([spent for spent, _ in runs]), runs[0][1]
    _say(f"{len(files):,} files, {statements:,} statements: {_in_words(ours)}")
    _say(f"{ours.processor / statements * 1000:.3f} ms of the processor a statement")
    measured = [one for one in theirs if one is not None]
    if len(measured) < len(theirs):
        _say("squawk is not to be had here: no ratio")
    else:
        peer = _least(measured)
        _say(f"squawk on the same files: {_in_words(peer)}")
        _say(
            f"ratio: {ours.clock / peer.clock:.1f} by the clock, {ours.processor / peer.processor:.1f} of the processor"
        )
    _growth()


if __name__ == "__main__":
    main()
