"""Worlds, made once a session: a template, a clone, a connection, a catalog."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from confiture_tui.database.connection import connect
from tests.core.effects.differential.bench import Scratch, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.database.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def world(server: EmbeddedServer) -> Iterator[Callable[[str], World]]:
    """``world(setup)`` gives the world that a script makes; the script itself runs once a session."""
    made: dict[str, World] = {}
    with ExitStack() as stack:

        def make(setup: str) -> World:
            if setup not in made:
                template = f"differential_{len(made)}"
                server.create_database(template)
                stack.callback(server.drop_database, template)
                with connect(server.dsn(template)) as conn:
                    conn.execute(setup.encode())
                server.create_database(f"{template}_clone", template=template)
                stack.callback(server.drop_database, f"{template}_clone")
                made[setup] = World(server, template, f"{template}_clone")
                stack.callback(made[setup].close)
            return made[setup]

        yield make


@pytest.fixture(scope="module")
def scratch(server: EmbeddedServer) -> Iterator[Scratch]:
    """A database for random tables."""
    server.create_database("differential_scratch")
    made = Scratch(server, "differential_scratch")
    yield made
    made.close()
    server.drop_database("differential_scratch")
