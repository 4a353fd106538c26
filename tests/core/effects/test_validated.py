"""A constraint that a migration validates is known afterwards as the server writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.effects.schema import Schema

SETUP = """
CREATE TABLE customers (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, total int, customer int);
CREATE DOMAIN amount AS int;
"""


@pytest.mark.parametrize(
    ("add", "validate", "major"),
    [
        (
            "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID",
            "ALTER TABLE orders VALIDATE CONSTRAINT c",
            14,
        ),
        (
            "ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (customer) REFERENCES customers NOT VALID",
            "ALTER TABLE orders VALIDATE CONSTRAINT c",
            14,
        ),
        (
            "ALTER TABLE orders ADD CONSTRAINT c NOT NULL total NOT VALID",
            "ALTER TABLE orders VALIDATE CONSTRAINT c",
            18,
        ),
        (
            "ALTER DOMAIN amount ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
            "ALTER DOMAIN amount VALIDATE CONSTRAINT c",
            14,
        ),
    ],
    ids=["check", "foreign key", "not null", "domain"],
)
def test_it_is_written_without_not_valid(conn: psycopg.Connection[Any], add: str, validate: str, major: int) -> None:
    if conn.info.server_version // 10000 < major:
        pytest.skip(f"the syntax is from PostgreSQL {major}")
    conn.execute(SETUP.encode())
    conn.execute(add.encode())
    before = Catalog.load(conn)
    after = simulate(Migration.from_sql(validate), catalog=before).after
    conn.execute(validate.encode())
    (real,) = [one for one in _constraints(Catalog.load(conn)) if one.name == "c"]
    (foreseen,) = [one for one in _owner(after, real).constraints if one.name == "c"]
    assert (foreseen.validated, foreseen.definition) == (real.validated, real.definition)
    assert "NOT VALID" in next(one.definition for one in _constraints(before) if one.name == "c")


def _constraints(catalog: Catalog) -> list[Constraint]:
    owners: list[Relation | Type] = [*catalog.relations.values(), *catalog.types.values()]
    return [one for owner in owners for one in owner.constraints]


def _owner(schema: Schema, constraint: Constraint) -> Any:
    if constraint.domain_oid:
        return schema.type_by_oid(constraint.domain_oid)
    return schema.by_oid(constraint.relation_oid)
