"""How fast a server works: rates measured by a calibration run, kept in a small file, or cautious defaults."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

FILE_VERSION: Final = 1


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
        source = f"{self.source}, corrected by {len(ratios)} earlier runs (times {factor:.2g})"
        return replace(self, **scaled, source=source)


_COSTS: Final = tuple(each.name for each in fields(Rates) if each.name not in ("spread", "source"))

DEFAULT_RATES: Final = Rates(
    overhead=0.002,
    scan_row=0.1e-6,
    scan_mb=0.001,
    rewrite_row=0.6e-6,
    rewrite_mb=0.006,
    build_row=0.5e-6,
    build_mb=0.001,
    write_row=5e-6,
    reference_row=0.4e-6,
    spread=6.0,
    source="cautious default rates, not measured on this server",
)
"""A gigabyte a second read, a sixth of that written: between a table that is all in memory and one that is all on a
network's disks, which the spread covers. Nothing was measured on the user's own server."""


def rates_file() -> Path:
    """Where measured rates are kept."""
    from platformdirs import user_state_path

    return user_state_path("confiture-tui", appauthor=False) / f"rates-{FILE_VERSION}.json"


def load_rates(server: str, path: Path | None = None) -> Rates | None:
    """The rates kept for a server (a key of the caller's choice); ``None`` when there are none that can be read."""
    kept = _read(path or rates_file()).get(server)
    if not isinstance(kept, dict) or set(kept) != {each.name for each in fields(Rates)}:
        return None
    numbers = all(isinstance(kept[name], int | float) and kept[name] >= 0 for name in (*_COSTS, "spread"))
    return Rates(**kept) if numbers and isinstance(kept["source"], str) else None


def save_rates(server: str, rates: Rates, path: Path | None = None) -> None:
    """Keep rates for a server, in a file that only its owner can read; written whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    target = path or rates_file()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {**_read(target), server: asdict(rates)}
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _read(path: Path) -> dict[str, Any]:
    """What the file holds; nothing when it is not there or not what we wrote."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
