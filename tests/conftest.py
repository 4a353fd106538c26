"""Fixtures for all tests: one embedded server a session, a database of its own for each test.

``--pg-bin DIR`` (or ``CONFITURE_PG_BIN``) runs the tests against the programs in that directory, of another major for
instance.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
from tests.support.databases import Databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from confiture_tui.database.dsn import Dsn


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg-bin", metavar="DIR", help="run the tests against the PostgreSQL programs in DIR")
    parser.addoption("--fault-tries", metavar="N", type=int, default=3, help="tries of each fault at random moments")
    parser.addoption("--fault-seed", metavar="N", type=int, default=1, help="what the random moments depend on")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process for each core, but none besides this one when all that is asked for are a few files or single tests."""
    asked = [Path(argument.partition("::")[0]) for argument in config.args]
    few = len(asked) <= 2 and all(path.is_file() for path in asked)
    return 0 if few else len(os.sched_getaffinity(0))


def pytest_configure(config: pytest.Config) -> None:
    # Through the environment, so that whatever a test starts, also a process of its own, uses the same programs.
    # Nor may a test find, or leave, anything in the user's own cache.
    cache = tempfile.TemporaryDirectory(prefix="confiture-tests-")
    config.add_cleanup(cache.cleanup)
    os.environ["XDG_CACHE_HOME"] = cache.name
    # Processes of pytest-xdist are told how wide the screen is, and a command that a test starts would believe it.
    os.environ.pop("COLUMNS", None)
    os.environ.pop("LINES", None)
    if config.getoption("--pg-bin"):
        os.environ["CONFITURE_PG_BIN"] = str(Path(config.getoption("--pg-bin")).absolute())


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The embedded server that all tests share; it is the one that the product's own code shares too."""
    shared = EmbeddedServer.shared()
    yield shared
    shared.stop()


@pytest.fixture(scope="session")
def _databases(server: EmbeddedServer) -> Iterator[Databases]:
    databases = Databases(server)
    yield databases
    databases.drop_all()


@pytest.fixture
def databases(_databases: Databases) -> Iterator[Databases]:
    """Makes databases for one test, and drops them after it."""
    yield _databases
    _databases.drop_fresh()


@pytest.fixture
def database(databases: Databases) -> Dsn:
    """An empty database of the test's own."""
    return databases.fresh()


@pytest.fixture
def conn(database: Dsn) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A superuser's connection (autocommit) to ``database``."""
    with connect(database, application_name="test") as connection:
        yield connection


@pytest.fixture
def database_from(databases: Databases) -> Callable[[str], Dsn]:
    """``database_from(sql)`` gives a database as the script leaves it; the script itself runs once a session."""
    return databases.from_sql
