"""How fast a server works: rates measured by a calibration run, kept in a small file, or cautious defaults."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from confiture_tui.core.counting import counted
from confiture_tui.whole_file import whole_file

FILE_VERSION: Final = 2
GOOD_FOR: Final = timedelta(days=30)
"""How long measured rates are taken for what the machine does today."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds for the things that migrations are made of.

    Every kind of work is a cost a row and a cost a megabyte of the table's heap; ``build`` is for one btree index.

    Attributes:
        overhead: of a statement that only changes the catalogs.
        scan_row, scan_mb: of reading a table and testing each row.
        rewrite_row, rewrite_mb: of writing a table anew.
        build_row, build_mb: of building an index.
        write_row: of updating one row of a table with one index, write-ahead log included.
        reference_row: of looking a row's foreign key up.
        spread: between low and high: each is this factor away from what is expected.
        source: where the figures come from, in a few words.
    """

    overhead: float
    scan_row: float
    scan_mb: float
    rewrite_row: float
    rewrite_mb: float
    build_row: float
    build_mb: float
    write_row: float
    reference_row: float
    spread: float
    source: str

    def corrected_by(self, runs: Iterable[tuple[float, float]]) -> Rates:
        """The rates after a look at earlier runs: pairs of what was expected and what it took, in milliseconds.

        The median of their ratios counts, from a tenth to ten times; runs under 50 ms say nothing and are left out.
        """
        ratios = [took / expected for expected, took in runs if expected >= 50 and took >= 50]
        if not ratios:
            return self
        factor = min(10.0, max(0.1, statistics.median(ratios)))
        scaled = {name: getattr(self, name) * factor for name in _COSTS}
        runs_seen = counted(len(ratios), "earlier run")
        source = f"{self.source}, corrected by {runs_seen} (times {factor:.2g})"
        return replace(self, **scaled, source=source)


_COSTS: Final = tuple(each.name for each in fields(Rates) if each.name not in ("spread", "source"))

DEFAULT_RATES: Final = Rates(
    overhead=0.002,
    scan_row=0.1e-6,
    scan_mb=0.001,
    rewrite_row=1e-6,
    rewrite_mb=0.01,
    build_row=0.5e-6,
    build_mb=0.001,
    write_row=10e-6,
    reference_row=0.4e-6,
    spread=6.0,
    source="cautious default rates, not measured on this server",
)
"""A gigabyte a second read, a tenth of that written: between a table that is all in memory and one that is all on a
network's disks, which the spread covers. Nothing was measured on the user's own server."""


@dataclass(frozen=True, slots=True)
class KeptRates:
    """Rates that were measured on this machine.

    Attributes:
        rates: as they were measured.
        server_version_num: of the server that they were measured on, for example 180006.
        measured_at: when.
    """

    rates: Rates
    server_version_num: int
    measured_at: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether they need not be measured again yet."""
        return datetime.now(UTC) - self.measured_at < GOOD_FOR


def rates_file() -> Path:
    """Where measured rates are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("confiture-tui", appauthor=False) / f"rates-{FILE_VERSION}.json"


def load_rates(server_version_num: int, path: Path | None = None) -> KeptRates | None:
    """What was measured on this machine with a server of this version, or else with the one nearest to it.

    ``None`` when there is nothing that can be read: never measured, another machine's, or no file of ours.
    """
    machine = _read(path or rates_file()).get(platform.node())
    kept = [one for one in map(_kept, machine.items() if isinstance(machine, dict) else ()) if one is not None]
    return min(kept, key=lambda one: abs(one.server_version_num - server_version_num), default=None)


def save_rates(server_version_num: int, rates: Rates, path: Path | None = None) -> None:
    """Keep what was measured on this machine, in a file that only its owner can read; written whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    target = path or rates_file()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = _read(target)
    machine = content.get(platform.node())
    entry = {"measured_at": datetime.now(UTC).isoformat(), "rates": asdict(rates)}
    content[platform.node()] = {**(machine if isinstance(machine, dict) else {}), str(server_version_num): entry}
    with whole_file(target) as beside:
        beside.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")


def _kept(item: tuple[str, Any]) -> KeptRates | None:
    """One measurement of the file; ``None`` where it is not what we wrote."""
    version, entry = item
    try:
        found = Rates(**entry["rates"])
        kept = KeptRates(found, int(version), datetime.fromisoformat(entry["measured_at"]))
        numbers = all(getattr(found, name) >= 0 for name in _COSTS) and found.spread >= 1
        return kept if numbers and isinstance(found.source, str) and kept.measured_at.tzinfo else None
    except (KeyError, TypeError, ValueError):
        return None


def _read(path: Path) -> dict[str, Any]:
    """What the file holds; nothing when it is not there or not what we wrote."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
