"""What the rules say of locks, work and failures is what a server does with their bad examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.core.risk.rules import RULES
from tests.core.risk.rules.test_examples import FROM_MAJOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation
    from confiture_tui.database.embedded import EmbeddedServer
    from tests.support.databases import Databases

_AE, _X, _SRE, _S = (
    LockMode.ACCESS_EXCLUSIVE,
    LockMode.EXCLUSIVE,
    LockMode.SHARE_ROW_EXCLUSIVE,
    LockMode.SHARE,
)
_SUE, _RX = LockMode.SHARE_UPDATE_EXCLUSIVE, LockMode.ROW_EXCLUSIVE


@dataclass(frozen=True)
class Claim:
    """What must be seen, by the names of relations in ``public``; more may be."""

    locks: tuple[tuple[str, LockMode], ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    rebuilds: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    sqlstate: str | None = None
    changed: int | None = None
    destroys: bool = False


CLAIMS = {
    "add-column-volatile-default": Claim((("orders", _AE),), rewrites=("orders",)),
    "add-column-auto-increment": Claim((("orders", _AE),), rewrites=("orders",)),
    "add-column-stored-generated": Claim((("orders", _AE),), rewrites=("orders",)),
    "add-column-constrained-domain": Claim((("orders", _AE),), rewrites=("orders",)),
    "add-required-column": Claim(sqlstate="23502"),
    "add-column-inline-check": Claim((("orders", _AE),), scans=("orders",)),
    "add-column-inline-unique": Claim((("orders", _AE),), builds=("orders_reference_key",)),
    "add-column-inline-reference": Claim((("orders", _AE), ("customers", _SRE)), scans=("orders",)),
    "change-type-rewrite": Claim((("orders", _AE),), rewrites=("orders",), rebuilds=("orders_pkey",)),
    "change-type-reindex": Claim((("orders", _AE),), builds=("orders_code_ix",)),
    "change-type-rechecks-constraint": Claim((("orders", _AE),), scans=("orders",)),
    "change-type-lossy": Claim((("orders", _AE),), rewrites=("orders",)),
    "change-type-depends-on-timezone": Claim((("orders", _AE),), rewrites=("orders",)),
    "change-type-used-by-view": Claim(sqlstate="0A000"),
    "change-type-breaks-prepared-statements": Claim((("orders", _AE),)),
    "set-generated-expression": Claim((("prices", _AE),), rewrites=("prices",)),
    "set-not-null-scan": Claim((("orders", _AE),), scans=("orders",)),
    "add-check-without-not-valid": Claim((("orders", _AE),), scans=("orders",)),
    "validate-in-same-transaction": Claim((("orders", _AE),), scans=("orders",)),
    "add-foreign-key-without-not-valid": Claim((("orders", _SRE), ("customers", _SRE)), scans=("orders",)),
    "drop-foreign-key-locks-parent": Claim((("orders", _AE), ("customers", _AE))),
    "add-unique-without-index": Claim((("customers", _AE),), builds=("customers_email_key",)),
    "add-primary-key-without-index": Claim((("visits", _AE),), builds=("visits_pkey",)),
    "primary-key-using-nullable-index": Claim((("visits", _AE),), scans=("visits",)),
    "add-exclusion-constraint": Claim((("bookings", _AE),), builds=("no_overlap",)),
    "create-index-not-concurrent": Claim((("orders", _S),), builds=("orders_status_ix",)),
    "drop-index-not-concurrent": Claim((("orders", _AE),)),
    "concurrently-in-transaction": Claim(sqlstate="25001"),
    "concurrently-on-partitioned": Claim(sqlstate="0A000"),
    "concurrently-may-leave-invalid-index": Claim((("customers", _SUE),), builds=("customers_email_uq",)),
    "reindex-not-concurrent": Claim((("orders", _S),), rebuilds=("orders_pkey",)),
    "invalid-index-present": Claim(invalid=("events_payload_ix",)),
    "vacuum-full-or-cluster": Claim((("orders", _AE),), rewrites=("orders",)),
    "rewrite-by-storage-change": Claim((("orders", _AE),), rewrites=("orders",)),
    "refresh-matview-not-concurrent": Claim((("sales", _AE),), rewrites=("sales",)),
    "attach-partition-scan": Claim((("events", _SUE), ("events_2026", _AE)), scans=("events_2026",)),
    "attach-partition-scans-default": Claim((("events_rest", _AE),), scans=("events_rest",)),
    "create-partition-locks-parent": Claim((("events", _AE),)),
    "detach-partition-not-concurrent": Claim((("events", _AE), ("events_2025", _AE))),
    "domain-constraint-scan": Claim((("payments", _S),), scans=("payments",)),
    "alter-type-hits-tables": Claim((("shops", _AE),)),
    "brief-access-exclusive": Claim((("orders", _AE),)),
    "statement-while-holding-lock": Claim((("orders", _AE),), changed=1000),
    "several-hot-tables-in-one-transaction": Claim((("orders", _AE), ("customers", _AE))),
    "several-alters-of-one-table": Claim((("orders", _AE),), rewrites=("orders",)),
    "missing-lock-timeout": Claim((("orders", _AE),)),
    "lock-timeout-too-short-for-concurrently": Claim((("orders", _SUE),)),
    "missing-statement-timeout": Claim((("orders", _AE),), rewrites=("orders",)),
    "enum-value-used-in-same-transaction": Claim(sqlstate="55P04"),
    "opaque-statement": Claim((("orders", _AE),)),
    "drop-table": Claim((("orders", _AE),), drops=("orders",), destroys=True),
    "drop-table-locks-parent": Claim((("customers", _AE),), drops=("orders",)),
    "drop-column": Claim((("orders", _AE),), destroys=True),
    "drop-cascades-to-columns": Claim((("people", _AE),), destroys=True),
    "cascade-hits-other-objects": Claim(drops=("orders", "open_orders")),
    "truncate": Claim((("orders", _AE),), destroys=True),
    "truncate-cascade": Claim((("customers", _AE), ("orders", _AE)), destroys=True),
    "write-without-where": Claim((("orders", _RX),), changed=1000),
    "backfill-in-migration": Claim((("readings", _RX),), changed=20000),
    "sequence-reset-or-drop": Claim((("tickets_id_seq", _SRE),)),
    "rename-column": Claim((("orders", _AE),)),
    "rename-table": Claim((("orders", _AE),)),
    "drop-view": Claim((("open_orders", _AE),), drops=("open_orders",)),
    "drop-constraint": Claim((("orders", _AE),)),
    "drop-default": Claim((("orders", _AE),)),
    "drop-not-null": Claim((("customers", _AE),)),
    "set-default": Claim((("orders", _AE),)),
    "new-write-restriction": Claim((("orders", _AE),)),
    "fails-on-existing-data": Claim(sqlstate="23505"),
    "rls-enabled-without-policy": Claim((("notes", _AE),)),
    "rls-off": Claim((("notes", _AE),)),
    "policy-change": Claim((("notes", _AE),)),
    "policy-without-rls": Claim((("notes", _AE),)),
    "owner-change": Claim((("orders", _AE),)),
    "disable-trigger": Claim((("orders", _SRE),)),
    "replica-identity-change": Claim((("orders", _AE),)),
    "duplicate-assignment": Claim(sqlstate="42601"),
}


@pytest.mark.parametrize("rule_id", CLAIMS)
def test_claims(rule_id: str, server: EmbeddedServer, databases: Databases) -> None:
    if server.version_num // 10000 < FROM_MAJOR.get(rule_id, 0):
        pytest.skip("the example's syntax is newer")
    rule, claim = next(one for one in RULES if one.id == rule_id), CLAIMS[rule_id]
    template = databases.template(rule.setup)
    settings = SessionSettings({"TimeZone": "UTC"})
    shadow = Shadow.from_template(server, template, owner="postgres", rows=Rows.FULL, settings=settings)
    result = shadow.dry_run(Migration.from_sql(rule.bad), profile=PROFILES["loose"])
    assert _sqlstate(result) == claim.sqlstate, result.failure
    assert _held(result.statements) >= {(f"public.{name}", mode.strength) for name, mode in claim.locks}
    for field, wanted in (
        ("rewrites", claim.rewrites),
        ("scans", claim.scans),
        ("builds", claim.builds),
        ("rebuilds", claim.rebuilds),
        ("drops", claim.drops),
        ("invalid_indexes", claim.invalid),
    ):
        seen = {name for one in result.statements for name in getattr(one, field) or ()}
        assert seen >= {f"public.{name}" for name in wanted}, field
    if claim.changed is not None:
        assert sum(one.rows or 0 for one in result.statements) >= claim.changed
    if claim.destroys:
        assert any(one.destroys_data for one in result.statements)


def _sqlstate(result: DryRunResult) -> str | None:
    return None if result.failure is None else result.failure.sqlstate


def _held(statements: Iterable[StatementObservation]) -> set[tuple[str, int]]:
    return {(lock.relation, lock.mode.strength) for one in statements for lock in one.locks or ()}
