"""Migrations and dry runs that together show everything the screens can show."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.diff import AttributeChange, Change, SchemaChange, SchemaDiff
from confiture_tui.core.dry_run.result import DryRunResult, On, Outcome, Proof, Rows, StatementObservation, Verdict
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Basis, Failure, Reach, RelationLock
from confiture_tui.service.places import ProjectInfo, TargetInfo
from tests.support.fake_service import FakeService, statements_of, status

if TYPE_CHECKING:
    from confiture_tui.core.migrations.status import MigrationStatus

SAFE_SQL = """-- Orders get a note.
SET lock_timeout = '2s';
ALTER TABLE shop.w_orders ADD COLUMN note text;
COMMENT ON COLUMN shop.w_orders.note IS 'written by the [b]customer[/b]';
"""
REWRITE_SQL = "ALTER TABLE shop.w_orders ADD COLUMN token uuid DEFAULT gen_random_uuid();\n"
FAILS_SQL = "CREATE UNIQUE INDEX CONCURRENTLY w_customers_email_key ON shop.w_customers (tenant_id, email);\n"
BLOCKS_SQL = "ALTER TABLE shop.w_lines ADD CONSTRAINT lines_order_fk FOREIGN KEY (order_id) REFERENCES shop.w_orders;\n"

APPLIED_AT = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)


def statuses() -> list[MigrationStatus]:
    return [
        status("001", "initial", "applied", "CREATE TABLE shop.w_orders (id bigint);\n", APPLIED_AT),
        status("002", "read_side", "applied", "CREATE VIEW shop.r_orders AS SELECT 1;\n", APPLIED_AT),
        status("003", "order_note", "pending", SAFE_SQL),
        status("004", "order_token", "pending", REWRITE_SQL),
        status("005", "lines_reference_orders", "pending", BLOCKS_SQL),
        status("006", "unique_customer_email", "pending", FAILS_SQL),
    ]


def project(environment: str = "demo", *, production: bool = False, name: str = "jam-shop") -> ProjectInfo:
    return ProjectInfo(name=name, directory=Path("/project"), environment=environment, is_production=production)


def target(database: str = "shop", role: str = "shop_owner", *, read_only: bool = False) -> TargetInfo:
    return TargetInfo(
        database=database,
        server_version="18.6",
        server_version_num=180006,
        role=role,
        is_superuser=False,
        in_recovery=False,
        read_only=read_only,
        display="host=/run dbname=shop",
        source="--dsn",
    )


def lock(relation: str, mode: LockMode) -> RelationLock:
    return RelationLock(relation=relation, mode=mode)


def observation(sql: str, index: int = 1, **changes: Any) -> StatementObservation:
    statement = statements_of(sql)[index - 1]
    values: dict[str, Any] = {
        "basis": Basis.OBSERVED,
        "reach": Reach.COMPLETE,
        "locks": (),
        "rewrites": (),
        "scans": (),
        "builds": (),
        "rebuilds": (),
        "creates": (),
        "drops": (),
        "invalid_indexes": (),
        "destroys_data": False,
        "changes_data": False,
        "transactional": True,
        "opaque": False,
        "outcome": Outcome.RAN,
        "elapsed_ms": 0.8,
        "rows": 0,
        "wal_bytes": 512,
    }
    values |= {name: getattr(statement, name) for name in ("index", "line", "tag", "sql")}
    return StatementObservation(**(values | changes))


def result(version: str, name: str, *statements: StatementObservation, **changes: Any) -> DryRunResult:
    values: dict[str, Any] = {
        "version": version,
        "name": name,
        "on": On.SHADOW,
        "rows": Rows.FULL,
        "ok": True,
        "verdict": Verdict.OK,
        "wrapping": "transaction",
        "elapsed_ms": 12.0,
        "statements": statements,
        "proof": Proof(nothing_persisted=True, checks=("the target's schema has the same fingerprint as before",)),
    }
    return DryRunResult(**(values | changes))


def safe_result() -> DryRunResult:
    return result(
        "003",
        "order_note",
        observation(SAFE_SQL, 1),
        observation(SAFE_SQL, 2, locks=(lock("shop.w_orders", LockMode.ACCESS_EXCLUSIVE),), elapsed_ms=1.4),
        observation(SAFE_SQL, 3, locks=(lock("shop.w_orders", LockMode.SHARE_UPDATE_EXCLUSIVE),), elapsed_ms=0.3),
        schema_diff=SchemaDiff(
            changes=(
                SchemaChange(
                    change=Change.ADDED,
                    kind="column",
                    name="shop.w_orders.note",
                    parent="shop.w_orders",
                    attributes=(AttributeChange(attribute="definition", before=None, after="note text"),),
                ),
            )
        ),
        notes=("The rows are a full copy, so times and counts are real.",),
    )


def rewrite_result() -> DryRunResult:
    return result(
        "004",
        "order_token",
        observation(
            REWRITE_SQL,
            locks=(lock("shop.w_orders", LockMode.ACCESS_EXCLUSIVE),),
            rewrites=("shop.w_orders",),
            rebuilds=("shop.w_orders_pkey", "shop.w_orders_tenant_idx"),
            changes_data=True,
            elapsed_ms=812.0,
            wal_bytes=25_165_824,
        ),
        elapsed_ms=830.0,
    )


def blocks_result() -> DryRunResult:
    return result(
        "005",
        "lines_reference_orders",
        observation(
            BLOCKS_SQL,
            locks=(
                lock("shop.w_lines", LockMode.SHARE_ROW_EXCLUSIVE),
                lock("shop.w_orders", LockMode.SHARE_ROW_EXCLUSIVE),
            ),
            scans=("shop.w_lines", "shop.w_orders"),
            elapsed_ms=241.0,
        ),
        elapsed_ms=244.0,
    )


def failed_result() -> DryRunResult:
    failure = Failure(
        sqlstate="23505",
        message='could not create unique index "w_customers_email_key"',
        detail="Key (tenant_id, email)=(3, jam@example.org) is duplicated.",
        line=1,
    )
    return result(
        "006",
        "unique_customer_email",
        observation(
            FAILS_SQL,
            locks=(lock("shop.w_customers", LockMode.SHARE_UPDATE_EXCLUSIVE),),
            scans=("shop.w_customers",),
            invalid_indexes=("shop.w_customers_email_key",),
            creates=("shop.w_customers_email_key",),
            transactional=False,
            outcome=Outcome.FAILED,
            error=failure,
            elapsed_ms=96.0,
            rows=0,
        ),
        ok=False,
        verdict=Verdict.FAILS,
        wrapping="none",
        failure=failure,
        notes=("CREATE INDEX CONCURRENTLY cannot run in a transaction, so the migration is run without one.",),
    )


def service(**changes: Any) -> FakeService:
    values: dict[str, Any] = {
        "statuses": statuses(),
        "project": project(),
        "target": target(),
        "outcomes": {one.version: one for one in (safe_result(), rewrite_result(), blocks_result(), failed_result())},
    }
    return FakeService(**(values | changes))
