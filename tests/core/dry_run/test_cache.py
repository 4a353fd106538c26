"""Shadows that are kept: found again when nothing has changed, and never when anything has."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.cache import EXPIRES_S, MOST, ShadowCache, shadow_key
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.dry_run.stamps import Definitions
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.embedded import EmbeddedServer, find_binaries
from confiture_tui.events import EventName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.events import Event

SCHEMA = "CREATE TABLE jam (id int PRIMARY KEY, fruit text); CREATE INDEX jam_fruit ON jam (fruit);"
OTHERS = (
    "ALTER TABLE jam ADD COLUMN sugar int;",
    "COMMENT ON TABLE jam IS 'sweet';",
    "GRANT SELECT ON jam TO PUBLIC;",
    "CREATE TEXT SEARCH CONFIGURATION mine (COPY = simple);",
    "CREATE EXTENSION hstore;",
    "ALTER TABLE jam DISABLE TRIGGER ALL; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
)


@pytest.fixture
def cache(tmp_path: Path, events: list[Event]) -> ShadowCache:
    return ShadowCache(tmp_path / "kept", sink=events.append)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def _target() -> Iterator[EmbeddedServer]:
    with EmbeddedServer.start() as server:
        server.create_database("target")
        with psycopg.connect(server.dsn("target").conninfo(), autocommit=True) as conn:
            conn.execute(SCHEMA)
        yield server


@pytest.fixture
def target(_target: EmbeddedServer) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(_target.dsn("target").conninfo(), autocommit=True) as conn:
        yield conn


@pytest.fixture(scope="module")
def kept(_target: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache's directory with one shadow in it, under the key ``it``."""
    cache = ShadowCache(tmp_path_factory.mktemp("kept"))
    with (
        EmbeddedServer.start() as server,
        psycopg.connect(_target.dsn("target").conninfo(), autocommit=True) as conn,
        Shadow.of(conn, server=server) as shadow,
    ):
        assert cache.keep("it", server, shadow, database="target")
    return cache.directory


def test_a_server_begins_with_the_shadow_that_was_kept(kept: Path, target: psycopg.Connection[Any]) -> None:
    entry = ShadowCache(kept).find("it")
    assert entry is not None
    with EmbeddedServer.start(fill=entry.fill) as server:
        entry.close()
        with Shadow.kept(server, entry.description, settings=SessionSettings.read(target)) as shadow:
            there, here = Catalog.load(target), shadow.catalog()
            assert here.relations.keys() == there.relations.keys()
            assert here.indexes.keys() == there.indexes.keys()
            result = shadow.dry_run(Migration.from_sql("ALTER TABLE jam ALTER fruit SET NOT NULL;"))
            assert result.ok
            assert result.statements[0].scans == ("public.jam",)
        with psycopg.connect(server.dsn().conninfo()) as conn:
            left = conn.execute("SELECT datname FROM pg_database WHERE datname LIKE 'confiture%'").fetchall()
            roles = conn.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'confiture%'").fetchall()
    assert (left, roles) == ([], [])


def test_only_its_owner_can_read_what_is_kept(kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()] == [0o600]
    (listed,) = ShadowCache(kept).listed()
    assert (listed.database, listed.bytes > 1_000_000) == ("target", True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content[:40] + b"x" + content[41:],
        lambda content: b"something else altogether",
    ],
    ids=["cut", "empty", "last byte", "index", "another file"],
)
def test_a_damaged_one_is_told_and_never_used(
    kept: Path, cache: ShadowCache, events: list[Event], damage: Callable[[bytes], bytes]
) -> None:
    from confiture_tui.database.embedded.image import DamagedImageError

    cache.directory.mkdir()
    (cache.directory / "it.shadow").write_bytes(damage((kept / "it.shadow").read_bytes()))
    entry = cache.find("it")
    if entry is None:
        assert [event.name for event in events] == [EventName.SHADOW_CACHE]
        assert not list(cache.directory.iterdir())
        return
    with pytest.raises(DamagedImageError):
        EmbeddedServer.start(fill=entry.fill)
    entry.close()


def test_another_definition_is_another_key(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> None:
    binaries = find_binaries(None)
    keys = []
    for more in ("", *OTHERS):
        with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
            conn.execute(more.encode() or b"SELECT 1")
            keys.append(shadow_key(conn, Definitions.of(Catalog.load(conn)), binaries))
    assert None not in keys
    # A trigger state of a table without triggers is no difference, a function is.
    assert len(set(keys)) == len(keys)


def test_rows_and_the_databases_name_are_not_in_the_key(database_from: Callable[[str], Dsn]) -> None:
    keys = set()
    for more in ("SELECT 1", "INSERT INTO jam VALUES (1, 'plum'); ANALYZE jam;"):
        with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
            conn.execute(more.encode())
            keys.add(shadow_key(conn, Definitions.of(Catalog.load(conn)), find_binaries(None)))
    assert len(keys) == 1


def test_other_programs_another_role_and_another_extension_at_hand_are_other_keys(
    server: EmbeddedServer, database_from: Callable[[str], Dsn], tmp_path: Path
) -> None:
    import dataclasses

    real = find_binaries(None)
    for name in ("bin", "share/extension"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bin" / "postgres").write_bytes(b"1")
    other = dataclasses.replace(real, directory=tmp_path / "bin")
    dsn = database_from(SCHEMA)
    server.create_login("cache_reader")
    with psycopg.connect(dsn.conninfo(), autocommit=True) as conn:
        catalog = Catalog.load(conn)
        keys = [shadow_key(conn, Definitions.of(catalog), real), shadow_key(conn, Definitions.of(catalog), other)]
        (tmp_path / "share" / "extension" / "hstore.control").touch()
        keys.append(shadow_key(conn, Definitions.of(catalog), other))
        conn.execute("SET ROLE cache_reader")
        keys.append(shadow_key(conn, Definitions.of(catalog), real))
    assert len(set(keys)) == 4


def test_what_was_not_used_for_long_goes_and_so_does_what_is_too_much(cache: ShadowCache) -> None:
    cache.directory.mkdir()
    now = time.time()
    for number in range(MOST + 2):
        path = cache.directory / f"{number}.shadow"
        path.write_bytes(b"")
        os.utime(path, (now - number, now - number))
    stale, unfinished = cache.directory / "stale.shadow", cache.directory / ".unfinished-x"
    for path in (stale, unfinished):
        path.write_bytes(b"")
        os.utime(path, (now - EXPIRES_S - 60,) * 2)
    (cache.directory / ".unfinished-y").write_bytes(b"")
    cache.expire()
    left = {path.name for path in cache.directory.iterdir()}
    assert left == {*(f"{number}.shadow" for number in range(MOST)), ".unfinished-y"}


def test_clearing_takes_all_of_it_and_nothing_else(cache: ShadowCache) -> None:
    cache.directory.mkdir()
    for name in ("a.shadow", "b.shadow", ".unfinished-x", "notes.txt"):
        (cache.directory / name).write_bytes(b"")
    assert cache.clear() == 2
    assert [path.name for path in cache.directory.iterdir()] == ["notes.txt"]
    assert ShadowCache(cache.directory / "none").clear() == 0


def test_a_directory_that_cannot_be_written_is_told_and_harms_nobody(
    tmp_path: Path, target: psycopg.Connection[Any], events: list[Event]
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = ShadowCache(tmp_path / "file" / "kept", sink=events.append)
    with EmbeddedServer.start() as server, Shadow.of(target, server=server) as shadow:
        assert cache.keep("it", server, shadow, database="target") is False
    assert "cannot be kept" in events[-1].message
    assert cache.find("it") is None
