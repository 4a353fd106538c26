"""The JSON documents: what the contract names is there, relative paths, and nothing that a terminal would obey."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confiture_tui.cli.output.page import Page
from confiture_tui.cli.output.preview import write_preview
from confiture_tui.cli.output.status import write_status
from confiture_tui.core.effects.model import Basis, Failure, StatementEffects
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.migrations.status import MigrationState, MigrationStatus
from confiture_tui.service.documents import (
    DryRunDocument,
    PreviewDocument,
    StatusDocument,
    dry_run_document,
    preview_document,
    status_document,
)
from confiture_tui.service.models import MigrationPreview
from confiture_tui.service.places import ProjectInfo, TargetInfo
from tests.cli.samples import HOSTILE, result

BASE = Path("/srv/shop")
TARGET = TargetInfo(
    database="shop",
    server_version="18.6",
    server_version_num=180006,
    role="app",
    is_superuser=False,
    in_recovery=True,
    read_only=True,
    display="postgresql://app@/shop",
    source="--dsn",
)
PROJECT = ProjectInfo(
    name="shop",
    directory=BASE,
    environment="production",
    is_production=True,
    findings=(Finding(code="x", message=f"Odd {HOSTILE}", level="warning"),),
)
STATUSES = (
    MigrationStatus(
        version="001",
        name="first",
        state=MigrationState.APPLIED,
        applied_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        path=BASE / "db/migrations/001_first.up.sql",
    ),
    MigrationStatus(version="002", name="a_very_long_name_" * 8, state=MigrationState.PENDING, path=Path("/else.sql")),
    MigrationStatus(version="003", name="gone", state=MigrationState.MISSING),
)


def previewed(**fields: object) -> MigrationPreview:
    statement = StatementEffects(index=1, line=3, tag="ALTER TABLE", sql=f"ALTER TABLE a {HOSTILE}")
    facts: dict[str, object] = {
        "version": "007",
        "name": "x",
        "path": BASE / "x.sql",
        "wrapping": "none",
        "analysed": (0, 1),
        "statements": (statement,),
    }
    return MigrationPreview.model_validate(facts | fields)


def test_status_is_as_the_contract_says() -> None:
    text = status_document(STATUSES, target=TARGET, runner="confiture", findings=PROJECT.findings, base=BASE).to_json()
    document = json.loads(text)
    assert StatusDocument.model_validate_json(text).to_json() == text
    assert document["schema_version"] == 1
    assert datetime.fromisoformat(document["generated_at"]).tzinfo is not None
    assert document["target"] == {"server_version": 180006, "database": "shop", "role": "app", "host": None}
    assert document["migrations"][0] == {
        "version": "001",
        "name": "first",
        "state": "applied",
        "applied_at": "2026-01-02T03:04:00Z",
        "path": "db/migrations/001_first.up.sql",
    }
    assert [one["path"] for one in document["migrations"][1:]] == ["/else.sql", None]


def test_a_preview_of_what_nobody_analysed_has_no_basis() -> None:
    text = preview_document([previewed()], target=None, runner="loose", base=BASE).to_json()
    document = json.loads(text)
    assert PreviewDocument.model_validate_json(text).to_json() == text
    assert (document["target"], document["basis"]) == (None, None)
    assert document["migrations"][0]["rollback"]["strategy"] == "none"


def test_the_basis_of_a_preview_is_that_of_its_weakest_statement() -> None:
    def statement(basis: Basis | None) -> StatementEffects:
        return StatementEffects(index=1, line=1, tag="SELECT", sql="SELECT 1", basis=basis)

    def basis_of(*found: Basis | None) -> Basis | None:
        statements = tuple(statement(basis) for basis in found)
        return preview_document([previewed(statements=statements)], target=None, runner="loose").basis

    assert basis_of(Basis.CATALOG, Basis.ASSUMED) is Basis.ASSUMED
    assert basis_of(Basis.CATALOG, Basis.CATALOG) is Basis.CATALOG
    assert basis_of(Basis.CATALOG, None) is None
    assert basis_of() is None


def test_a_dry_run_is_as_the_contract_says() -> None:
    skipped = MigrationStatus(version="004", name="program", state=MigrationState.PENDING)
    results = [result(), result(good=False)]
    text = dry_run_document(results, target=TARGET, runner="confiture", skipped=[skipped]).to_json()
    document = json.loads(text)
    assert DryRunDocument.model_validate_json(text).migrations == tuple(results)
    assert (document["on"], document["rows"]) == ("shadow", "full")
    assert document["migrations"][1]["statements"][2]["error"]["sqlstate"] == "42703"
    assert document["skipped"][0]["version"] == "004"
    assert dry_run_document([], target=None, runner="confiture").rows is None


@pytest.mark.parametrize("text", [HOSTILE, "\ud800 half", "naïve 注文"])
def test_a_document_is_harmless_and_lossless(text: str) -> None:
    statement = StatementEffects(index=1, line=1, tag="SELECT", sql=text)
    printed = preview_document([previewed(statements=(statement,))], target=None, runner="loose").to_json()
    assert json.loads(printed)["migrations"][0]["statements"][0]["sql"] == text
    assert not set("\x1b\x07\x9b\u202e\ud800") & set(printed)
    printed.encode()


@pytest.mark.parametrize("width", [60, 100])
def test_status_as_text_fits_and_cannot_overlook_production(width: int) -> None:
    page = Page(width=width)
    write_status(page, STATUSES, PROJECT, TARGET)
    text = page.text()
    assert max(map(len, text.splitlines())) <= width
    for fact in ("PRODUCTION", "PostgreSQL 18.6", "standby", "read-only", "2026-01-02 03:04", "warning: Odd"):
        assert fact in text
    assert "1 applied, 1 pending, 1 missing" in text
    assert "\x1b" not in text


def test_a_preview_as_text_shows_what_must_fail() -> None:
    sql = "SELEC 1"
    failure = Failure(sqlstate="42601", message="syntax error", position=1, line=3)
    statement = StatementEffects(index=1, line=3, tag="SQL", sql=sql, fails=failure)
    page = Page()
    write_preview(page, previewed(statements=(statement,), findings=Migration.from_sql(sql).findings))
    assert "42601  syntax error" in page.text()
    assert "0 of 1 statement analysed" in page.text()
    assert "no way back" in page.text()
