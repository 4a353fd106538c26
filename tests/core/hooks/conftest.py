"""What tests of hooks share."""

from __future__ import annotations

import pytest

from tests.core.hooks.shop import SCHEMA, Connection


@pytest.fixture
def shop(conn: Connection) -> Connection:
    conn.execute(SCHEMA.encode())
    return conn


@pytest.fixture
def work(conn: Connection) -> Connection:
    conn.autocommit = True
    conn.execute("CREATE TABLE seen (n int)")
    return conn
