"""The layout of Flyway: ``V1.2__name.sql``, ``U1.2__name.sql`` that takes it back, ``R__name.sql`` that is repeatable.

Source: its documentation: locations are searched with the directories below them; versions are numbers between dots or
underscores; repeatable migrations come after all others, when their checksum has changed; ``x.sql.conf`` beside a
script has its settings.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.files import is_file
from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import opaque, pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.model import Finding
from confiture_tui.core.migrations.versions import VersionOrder

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_NAME = re.compile(r"(?P<kind>[VUB])(?P<version>[0-9]+(?:[._][0-9]+)*)__(?P<name>.*)\.(?P<suffix>sql|java|kt)")
_REPEATABLE = re.compile(r"(?P<version>R__(?P<name>.+))\.sql")
_NOT_IN_TRANSACTION = re.compile(r"^\s*executeInTransaction\s*=\s*false\s*$", re.IGNORECASE | re.MULTILINE)
_USUAL = ("db", "migration")


class FlywayLayout(Layout):
    """``V1.2__name.sql`` with what belongs to it."""

    name = "flyway"
    order = VersionOrder.DOTTED
    naming = "V1.2__add_column.sql"
    ledgers = ("flyway",)
    apply_command = "flyway -locations=filesystem:{directory} migrate"
    rollback_command = "flyway -locations=filesystem:{directory} undo"

    def sign(self, listing: Listing) -> Sign | None:
        """A name that only Flyway gives."""
        # Not all the way down: whoever asks may stand at the top of a large tree.
        near = itertools.chain(listing.entries, (path for one in listing.directories for path in one.glob("[VR]*.sql")))
        found = next((path for path in near if _is_script(path)), None)
        return Sign(Strength.MARK, f"it has files like {found.name}") if found else None

    def read(self, listing: Listing) -> Contents:
        """Its versioned and its repeatable scripts; those in Java are programs."""
        migrations, programs, findings = [], [], []
        files = self._files(listing.directory)
        undo = {
            named["version"]: path for path in files if (named := _NAME.fullmatch(path.name)) and _kind(path) == "U"
        }
        done = set()
        for path in files:
            if (named := _REPEATABLE.fullmatch(path.name)) is not None:
                migrations.append(
                    pair(named["version"], named["name"], path, None, transactional=_mark(path), repeatable=True)
                )
            elif (named := _NAME.fullmatch(path.name)) is None:
                if path.suffix == ".sql":
                    findings.append(self._stray(path))
            elif named["kind"] == "B":
                findings.append(_baseline(path, named["version"]))
            elif named["kind"] == "V":
                version = named["version"].replace("_", ".")
                done.add(named["version"])
                if named["suffix"] != "sql":
                    programs.append(opaque(version, named["name"], path, "a program", "Flyway"))
                    continue
                down = undo.get(named["version"])
                migrations.append(
                    pair(
                        version,
                        named["name"],
                        path,
                        down,
                        transactional=_mark(path),
                        down_transactional=_mark(down) if down else None,
                    )
                )
        findings += [_undoes_nothing(path) for version, path in undo.items() if version not in done]
        return Contents(migrations, programs, findings)

    @staticmethod
    def _files(directory: Path) -> list[Path]:
        """The scripts in a directory and in those below it, by name."""
        below = (path for pattern in ("*.sql", "*.java", "*.kt") for path in directory.rglob(pattern))
        return sorted(below, key=lambda path: (path.name, str(path)))


def _is_script(path: Path) -> bool:
    return _REPEATABLE.fullmatch(path.name) is not None or _kind(path) == "V"


def _kind(path: Path) -> str | None:
    named = _NAME.fullmatch(path.name)
    return named["kind"] if named else None


def _mark(path: Path) -> bool | None:
    """What the settings beside a script say of running it in a transaction."""
    conf = path.with_name(f"{path.name}.conf")
    try:
        text = conf.read_text(encoding="utf-8", errors="replace") if is_file(conf) else ""
    except OSError:
        return None
    return False if _NOT_IN_TRANSACTION.search(text) else None


def _baseline(path: Path, version: str) -> Finding:
    message = (
        f"{path.name} stands for all scripts up to {version} on an empty database, and is left out here: "
        f"a database that has them never runs it."
    )
    return Finding(code="baseline-script", message=message, path=path, level="note")


def _undoes_nothing(path: Path) -> Finding:
    message = f"{path.name} takes back nothing: there is no V{path.name[1:]}."
    return Finding(code="down-without-up", message=message, path=path, level="warning")
