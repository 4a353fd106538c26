"""Small questions to a connection string."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn


def name_of(dsn: Dsn) -> str:
    """The name of the database."""
    return dsn.parameters()["dbname"]
