"""A demo shop for the tests: built once, and a clone of it for each test that changes something."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.database.connection import connect
from confiture_tui.database.demo.shop import OWNER, DemoShop, build_shop
from confiture_tui.database.embedded import EmbeddedServer

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.events import Event

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Built:
    """A shop, the server that it was built on, and what was said meanwhile."""

    server: EmbeddedServer
    shop: DemoShop
    events: tuple[Event, ...]


@pytest.fixture(scope="session")
def built() -> Iterator[Built]:
    """A shop on a server of its own: the shop's databases and its role have fixed names."""
    with EmbeddedServer.start() as server:
        events: list[Event] = []
        shop = build_shop(server, sink=events.append)
        yield Built(server, shop, tuple(events))


@pytest.fixture
def open_database(built: Built) -> Iterator[Callable[[str | None], psycopg.Connection[Any]]]:
    """Opens a new database as the shop's owner: a copy of the one that is named, or an empty one."""
    with_names: list[str] = []
    connections: list[psycopg.Connection[Any]] = []

    def opened(template: str | None) -> psycopg.Connection[Any]:
        name = f"demo_test_{next(_numbers)}"
        built.server.create_database(name, template=template, owner=OWNER)
        with_names.append(name)
        conn = connect(built.server.dsn(name, OWNER))
        connections.append(conn)
        conn.execute("SET TimeZone = 'UTC'")
        return conn

    yield opened
    for conn in connections:
        conn.close()
    for name in with_names:
        built.server.drop_database(name)


@pytest.fixture
def clone(built: Built, open_database: Callable[[str | None], psycopg.Connection[Any]]) -> psycopg.Connection[Any]:
    """A copy of the whole shop that the test may change, as its owner, in autocommit."""
    return open_database(built.shop.pristine)
