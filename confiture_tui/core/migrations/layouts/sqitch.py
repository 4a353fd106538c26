"""The layout of sqitch: ``sqitch.plan`` lists the changes; their scripts are in ``deploy`` and ``revert``.

Source: its documentation of the plan's format. Scripts are run by psql as they are, with their own BEGIN and COMMIT. A
change that is reworked is listed twice: the script of the earlier one has its tag in its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.files import is_file, read_sql_file
from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.model import Finding
from confiture_tui.core.migrations.versions import VersionOrder

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.migrations.layouts.listing import Listing

_PLAN = "sqitch.plan"
_LINE = re.compile(r"^[ \t]*(?:(?P<tag>@\S+)|\+?(?P<change>[^\s%#@+-]\S*))", re.MULTILINE)


class SqitchLayout(Layout):
    """``deploy/name.sql`` and ``revert/name.sql``, in the order of ``sqitch.plan``."""

    name = "sqitch"
    order = VersionOrder.LISTED
    naming = "deploy/add_column.sql, listed in sqitch.plan"
    ledgers = ("sqitch",)
    apply_command = "sqitch deploy"
    rollback_command = "sqitch revert --to @HEAD^"

    def sign(self, listing: Listing) -> Sign | None:
        """Its plan."""
        return Sign(Strength.MARK, f"it holds {_PLAN}") if _PLAN in listing.names else None

    def read(self, listing: Listing) -> Contents:
        """The changes of the plan."""
        plan = read_sql_file(listing.directory / _PLAN)
        changes = _changes(plan.script.text)
        migrations, findings = [], [one for one in plan.findings if one.level == "error"]
        for change, tag in changes:
            deploy = listing.directory / "deploy" / f"{change}{tag}.sql"
            revert = listing.directory / "revert" / f"{change}{tag}.sql"
            if not is_file(deploy):
                findings.append(_no_script(listing.directory / _PLAN, change, deploy))
                continue
            expected = f"revert/{revert.name}"
            found = revert if is_file(revert) else None
            migrations.append(pair(f"{change}{tag}", "", deploy, found, expected_down=expected))
        return Contents(migrations, findings=findings)


def _changes(plan: str) -> list[tuple[str, str]]:
    """The changes in order, each with the tag in its scripts' names: the next one, when it is reworked."""
    found: list[tuple[str, str]] = []
    last: dict[str, int] = {}
    untagged: list[int] = []
    tags: dict[int, str] = {}
    for line in _LINE.finditer(plan):
        if line["tag"]:
            tags.update(dict.fromkeys(untagged, line["tag"]))
            untagged = []
            continue
        name = line["change"]
        if name in last:
            found[last[name]] = (name, tags.get(last[name], ""))
        last[name] = len(found)
        untagged.append(len(found))
        found.append((name, ""))
    return found


def _no_script(plan: Path, change: str, deploy: Path) -> Finding:
    message = f"{plan.name} lists {change}, and there is no deploy/{deploy.name}: sqitch stops there. Restore it."
    return Finding(code="no-statements-file", message=message, path=plan, level="error")
