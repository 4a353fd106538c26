from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases

Connection = psycopg.Connection[tuple[Any, ...]]
in_one_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


@pytest.fixture
def extended(databases: Databases) -> Iterator[Connection]:
    """A database with both extensions, where both are stand-ins."""
    if set(databases.server.stand_ins) != {"pgcrypto", "uuid-ossp"}:
        pytest.skip(f"{databases.server.source} It needs no stand-ins, or knows no extension_control_path.")
    with connect(databases.from_sql('CREATE EXTENSION pgcrypto; CREATE EXTENSION "uuid-ossp"')) as conn:
        yield conn


def one(conn: Connection, query: str, *parameters: object) -> Any:
    row = conn.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def test_whether_they_are_stand_ins_is_told(conn: Connection, databases: Databases) -> None:
    labelled = conn.execute("SELECT name FROM pg_available_extensions WHERE comment LIKE 'stand-in %' ORDER BY 1")
    assert tuple(name for (name,) in labelled) == databases.server.stand_ins


def test_they_are_labelled_once_created(extended: Connection) -> None:
    labels = extended.execute(
        "SELECT extname, extversion, obj_description(oid, 'pg_extension') LIKE 'stand-in for %' FROM pg_extension"
        " WHERE extname <> 'plpgsql' ORDER BY 1"
    ).fetchall()
    assert labels == [("pgcrypto", "1.4", True), ("uuid-ossp", "1.1", True)]


@in_one_database
@given(data=st.binary(max_size=300), name=st.sampled_from(["md5", "sha1", "SHA224", "sha256", "sha384", "sha512"]))
def test_digest(extended: Connection, data: bytes, name: str) -> None:
    assert one(extended, "SELECT digest(%s::bytea, %s)", data, name) == hashlib.new(name.lower(), data).digest()


@in_one_database
@given(
    data=st.binary(max_size=80), key=st.binary(max_size=200), name=st.sampled_from(["md5", "sha1", "sha256", "sha512"])
)
def test_hmac(extended: Connection, data: bytes, key: bytes, name: str) -> None:
    assert one(extended, "SELECT hmac(%s::bytea, %s::bytea, %s)", data, key, name) == hmac.digest(key, data, name)


@in_one_database
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100))
def test_named_uuids_and_digests_of_text(extended: Connection, name: str) -> None:
    assert one(extended, "SELECT uuid_generate_v3(uuid_ns_url(), %s)", name) == uuid.uuid3(uuid.NAMESPACE_URL, name)
    assert one(extended, "SELECT uuid_generate_v5(uuid_ns_dns(), %s)", name) == uuid.uuid5(uuid.NAMESPACE_DNS, name)
    assert one(extended, "SELECT digest(%s::text, 'sha1')", name) == hashlib.sha1(name.encode()).digest()
    assert one(extended, "SELECT hmac(%s::text, 'k', 'sha256')", name) == hmac.digest(b"k", name.encode(), "sha256")


def test_uuids(extended: Connection) -> None:
    assert one(extended, "SELECT uuid_nil()") == uuid.UUID(int=0)
    assert one(extended, "SELECT uuid_ns_oid()") == uuid.NAMESPACE_OID
    assert one(extended, "SELECT uuid_ns_x500()") == uuid.NAMESPACE_X500
    for function, version in (("v1", 1), ("v1mc", 1), ("v4", 4)):
        made = [
            value for (value,) in extended.execute(f"SELECT uuid_generate_{function}() FROM generate_series(1,200)")
        ]
        assert len(set(made)) == 200
        assert {(value.version, value.variant) for value in made} == {(version, uuid.RFC_4122)}
    row = extended.execute("SELECT u, extract(epoch FROM clock_timestamp()) FROM uuid_generate_v1() AS u").fetchone()
    assert row is not None
    made_at = (row[0].time - 122192928000000000) / 1e7
    assert 0 <= float(row[1]) - made_at < 60
    assert row[0].node >> 40 & 1, "the bit of a node that is no network card's"


def test_random_bytes(extended: Connection) -> None:
    for count in (1, 31, 32, 33, 1024):
        assert len(one(extended, "SELECT gen_random_bytes(%s)", count)) == count
    assert one(extended, "SELECT count(DISTINCT gen_random_bytes(16)) FROM generate_series(1, 500)") == 500
    assert one(extended, "SELECT count(DISTINCT public.gen_random_uuid()) FROM generate_series(1, 500)") == 500
    for count in (0, -1, 1025):
        with pytest.raises(psycopg.Error, match="Length not in range"):
            one(extended, "SELECT gen_random_bytes(%s)", count)


def test_what_is_missing_says_so(extended: Connection) -> None:
    for call in (
        "crypt('x', 'y')",
        "gen_salt('bf')",
        "gen_salt('bf', 8)",
        "encrypt('x', 'y', 'aes')",
        "pgp_sym_encrypt('x', 'y')",
        "pgp_pub_decrypt('x', 'y', 'z')",
        "armor('x')",
        "pgp_armor_headers('x')",
        "fips_mode()",
    ):
        with pytest.raises(psycopg.errors.FeatureNotSupported, match=r"^stand-in: pgcrypto's \w+ is not available"):
            extended.execute(f"SELECT {call}".encode())
    with pytest.raises(psycopg.Error, match='Cannot use "crc7": No such hash algorithm'):
        one(extended, "SELECT digest('x', 'crc7')")


def test_a_plain_role_creates_them_where_it_likes_and_moves_them(databases: Databases) -> None:
    server = databases.server
    if not server.stand_ins:
        pytest.skip("this server has the real extensions, or none")
    server.create_login("plain owner")
    server.create_database("plain", owner="plain owner")
    with connect(server.dsn("plain", "plain owner")) as conn:
        conn.execute("CREATE SCHEMA extensions")
        conn.execute('CREATE EXTENSION pgcrypto; CREATE EXTENSION "uuid-ossp" SCHEMA extensions')
    with connect(server.dsn("plain")) as conn:
        # Objects of a trusted extension belong to the superuser, so only that one can move them: also the real ones.
        conn.execute("ALTER EXTENSION pgcrypto SET SCHEMA extensions")
    with connect(server.dsn("plain", "plain owner")) as conn:
        conn.execute("CREATE TABLE t (id uuid DEFAULT extensions.uuid_generate_v4(), h bytea)")
        conn.execute("INSERT INTO t (h) VALUES (extensions.hmac('a', 'b', 'sha1'))")
        assert one(conn, "SELECT h FROM t") == hmac.digest(b"b", b"a", "sha1")
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            conn.execute('DROP EXTENSION "uuid-ossp"')
    server.drop_database("plain")
