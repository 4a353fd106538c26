"""The async service layer: the only thing that the command line and the screens talk to.

It runs the synchronous core on threads of its own, hands on its events, and cancels it from outside. Importing it is
cheap: models, driver and core are loaded on the first job's thread, so that the first screen does not wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.service.jobs import Job
from confiture_tui.service.service import MigrationService

if TYPE_CHECKING:
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.places import ProjectInfo, TargetInfo

__all__ = ["Job", "MigrationPreview", "MigrationService", "ProjectInfo", "TargetInfo"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        if name == "MigrationPreview":
            from confiture_tui.service.models import MigrationPreview

            return MigrationPreview
        from confiture_tui.service import places

        return getattr(places, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
