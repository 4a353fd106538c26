"""What a database does not have, its migrations cannot have made: they do not count as applied unasked."""

from __future__ import annotations

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.runner.baseline import what_is_absent
from tests.core.runner.running import Connection, migration


@pytest.mark.parametrize(
    ("texts", "absent"),
    [
        (("CREATE TABLE gone (id int)",), ["001_step makes public.gone,"]),
        (("CREATE TABLE here (id int)", "CREATE INDEX i ON here (id)"), ["002_step makes public.i,"]),
        (("ALTER TABLE here ADD n int",), []),
        (
            ('ALTER TABLE public.here ADD COLUMN "N" int, ADD m int',),
            ['001_step makes public.here."N", public.here.m,'],
        ),
        (("ALTER TABLE here ADD m int", "ALTER TABLE here DROP m"), []),
        (("ALTER TABLE here ADD m int", "ALTER TABLE here RENAME m TO n"), []),
        (("ALTER TABLE here ADD m int; ALTER TABLE other ADD m int", "ALTER TABLE other DROP m"), ["001_step"]),
        (("ALTER TABLE was ADD m int", "ALTER TABLE was RENAME TO here"), []),
        (("CREATE TABLE gone (id int)", "ALTER TABLE gone ADD m int", "DROP TABLE gone"), []),
    ],
)
def test_what_is_absent_is_told(conn: Connection, texts: tuple[str, ...], absent: list[str]) -> None:
    conn.execute("CREATE TABLE here (id int, n int)")
    given = [migration(text, version=f"00{number}") for number, text in enumerate(texts, start=1)]
    found = what_is_absent(given, Catalog.load(conn))
    assert len(found) == len(absent)
    for one, words in zip(found, absent, strict=True):
        assert one.sentence.startswith(words)
