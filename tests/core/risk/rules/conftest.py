"""Databases and catalogs of the rules' examples: one for each set-up, made once a session."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.embedded import EmbeddedServer
    from tests.support.databases import Databases


@pytest.fixture(scope="session")
def catalog_of(_databases: Databases, server: EmbeddedServer) -> Callable[[str], Catalog]:
    """``catalog_of(sql)``: the catalog of a database in which the script has been run."""

    @cache
    def load(setup: str) -> Catalog:
        with connect(server.dsn(_databases.template(setup)), application_name="test") as conn:
            return Catalog.load(conn)

    return load
