"""``assess``, run as users run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.service.assess_documents import AssessDocument
from tests.cli.test_commands import DOCUMENT_KEYS, STATEMENT_KEYS, run

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.database.dsn import Dsn

RISKY = "CREATE INDEX orders_total ON orders (total);\n"
DROPPING = "DROP TABLE orders;\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_index.up.sql").write_text(RISKY)
    (migrations / "001_index.down.sql").write_text("DROP INDEX orders_total;\n")
    (migrations / "002_new.up.sql").write_text("CREATE TABLE fresh (id int);\nCREATE INDEX ON fresh (id);\n")
    (migrations / "002_new.down.sql").write_text("DROP TABLE fresh;\n")
    return tmp_path


@pytest.fixture
def orders(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    conn.execute("CREATE TABLE orders (id int PRIMARY KEY, total numeric)")
    conn.execute("INSERT INTO orders SELECT n, n FROM generate_series(1, 100) n; ANALYZE orders")
    return conn


def assess(directory: Path, *arguments: str, dsn: Dsn | None = None) -> tuple[int, dict[str, Any]]:
    done = run(directory, "assess", *arguments, "--format", "json", dsn=dsn)
    assert done.stdout, done.stderr
    AssessDocument.model_validate_json(done.stdout)
    return done.returncode, json.loads(done.stdout)


def test_the_json_is_the_contract(project: Path, database: Dsn, orders: psycopg.Connection[Any]) -> None:
    code, document = assess(project, dsn=database)
    assert code == 0, "a small table proved small is no high risk"
    assert DOCUMENT_KEYS | {"basis"} <= set(document)
    assert document["basis"] == "catalog"
    first, second = document["migrations"]
    assert {
        *("version", "name", "path", "score", "level", "confidence", "analysed", "categories", "statements", "risks"),
        "rollback",
    } <= set(first)
    assert first["path"] == "db/migrations/001_index.up.sql"
    assert set(first["statements"][0]) >= STATEMENT_KEYS
    assert first["statements"][0]["locks"] == [{"relation": "public.orders", "mode": "SHARE"}]
    assert "create-index-not-concurrent" in {risk["rule"] for risk in first["risks"]}
    assert second["analysed"] == [2, 2]
    assert (second["score"], second["level"]) == (0, "none")


def test_files_need_no_project_and_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(RISKY)
    (tmp_path / "broken.sql").write_text("SELECT 1;\nSELEC 2;\n")
    code, document = assess(tmp_path, "x.sql", "broken.sql")
    assert code == 1
    good, broken = document["migrations"]
    assert good["level"] in ("high", "critical")
    assert good["statements"][0]["basis"] == "assumed"
    assert broken["analysed"] == [1, 2]
    assert document["target"] is None


def test_files_on_a_database_say_which(tmp_path: Path, database: Dsn, orders: Any) -> None:
    (tmp_path / "x.sql").write_text("ALTER TABLE orders ADD COLUMN note text;\n")
    (tmp_path / "y.sql").write_text("ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n")
    _, document = assess(tmp_path, "x.sql", "y.sql", "--dsn", database.conninfo())
    assert set(document["target"]) >= {"server_version", "database", "role"}
    alone, other = document["migrations"]
    assert alone["statements"][0]["basis"] == "catalog"
    assert other["statements"][0]["fails"]["sqlstate"] == "42703", "each file finds the database as it is"


def test_the_text_says_how_long_and_by_which_measure(
    project: Path, database: Dsn, orders: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (project / "db/migrations/003_check.up.sql").write_text("ALTER TABLE orders ADD CHECK (total < 50);\n")
    nothing_measured = str(tmp_path_factory.mktemp("cache"))
    text = run(project, "assess", "003", dsn=database, XDG_CACHE_HOME=nothing_measured).stdout
    assert "times by cautious default rates" in text
    assert "there are 51 rows" in text
    assert "This finds them: SELECT * FROM public.orders" in text
    assert "others wait about" in text
    assert "1 question to the data" in text
    _, document = assess(project, "003", "--no-probe", dsn=database)
    (probe,) = document["migrations"][0]["probes"]
    assert (probe["found"], probe["why_not"]) == (None, "probes are switched off")


def test_earlier_pending_migrations_have_happened(project: Path, database: Dsn, orders: Any) -> None:
    (project / "db/migrations/003_later.up.sql").write_text("ALTER TABLE fresh ADD COLUMN n int;\n")
    _, document = assess(project, "003", dsn=database)
    (only,) = document["migrations"]
    assert only["version"] == "003"
    assert only["statements"][0]["fails"] is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--fail-on", "never"), 0),
        (("--fail-on", "critical"), 1),
        (("--fail-on", "low"), 1),
        (("--allow", "drop-table,data-may-be-lost"), 0),
    ],
)
def test_fail_on(tmp_path: Path, arguments: tuple[str, ...], expected: int) -> None:
    (tmp_path / "x.sql").write_text(DROPPING)
    assert assess(tmp_path, "x.sql", *arguments)[0] == expected


def test_a_comment_accepts_a_risk(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(f"-- risk: ignore create-index-not-concurrent: it is small\n{RISKY}")
    _, document = assess(tmp_path, "x.sql")
    (only,) = document["migrations"]
    assert "create-index-not-concurrent" not in {risk["rule"] for risk in only["risks"]}
    assert only["ignored"][0]["reason"] == "it is small"


def test_the_other_formats(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(RISKY)
    sarif = json.loads(run(tmp_path, "assess", "x.sql", "--format", "sarif").stdout)
    assert sarif["version"] == "2.1.0"
    assert "create-index-not-concurrent" in {one["ruleId"] for one in sarif["runs"][0]["results"]}
    github = run(tmp_path, "assess", "x.sql", "--format", "github").stdout
    assert github.startswith("::")
    assert "file=x.sql,line=1" in github
    markdown = run(tmp_path, "assess", "x.sql", "--format", "markdown").stdout
    assert "create-index-not-concurrent" in markdown
    text = run(tmp_path, "assess", "x.sql", "--safe-sql").stdout
    assert "CREATE INDEX CONCURRENTLY" in text
    assert "1 of 1 statement analysed" in text


def test_a_baseline_lets_pass_what_is_known_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(DROPPING)
    (tmp_path / "y.sql").write_text(DROPPING)
    written = run(tmp_path, "assess", "x.sql", "--baseline", "risks.json", "--update-baseline")
    assert written.returncode == 0, "everything that was found is let pass"
    assert "risks.json now has" in written.stdout
    code, document = assess(tmp_path, "x.sql", "y.sql", "--baseline", "risks.json")
    assert code == 1
    known, new = document["migrations"]
    assert (known["score"], known["risks"]) == (0, [])
    assert {one["by"] for one in known["ignored"]} == {"baseline"}
    assert new["level"] == "critical"
    before = (tmp_path / "risks.json").read_text()
    run(tmp_path, "assess", "y.sql", "--baseline", "risks.json", "--update-baseline")
    assert assess(tmp_path, "x.sql", "y.sql", "--baseline", "risks.json")[0] == 0, "what it said of x.sql stays"
    (tmp_path / "y.sql").unlink()
    (tmp_path / "x.sql").write_text("SELECT 1;\n")
    _, document = assess(tmp_path, "x.sql", "--baseline", "risks.json")
    assert len(document["gone"]) == before.count('"key"')


def test_a_project_s_baseline_forgets_migrations_that_are_gone(project: Path, database: Dsn, orders: Any) -> None:
    update = ("assess", "--baseline", "risks.json", "--update-baseline")
    run(project, *update, dsn=database)
    (project / "db/migrations/001_index.up.sql").unlink()
    (project / "db/migrations/001_index.down.sql").unlink()
    done = run(project, *update, dsn=database)
    assert "0 new, 3 gone" in done.stdout, done.stderr


def test_sql_on_stdin_is_assessed(tmp_path: Path) -> None:
    done = run(tmp_path, "assess", "-", stdin=DROPPING)
    assert done.returncode == 1
    assert "drop-table" in done.stdout
    assert run(tmp_path, "assess", "-", stdin="SELECT 1;").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--update-baseline",), "--baseline FILE"),
        (("--baseline", "nothing.json"), "no baseline"),
        (("--baseline", "db/migrations/001_index.up.sql"), "is no baseline"),
        (("nothing.sql",), "nothing.sql"),
        (("007",), "no migration 007"),
        (("001", "x.sql"), "cannot be mixed"),
        (("--allow", "drop-tables"), "drop-table"),
    ],
)
def test_bad_input_is_told(project: Path, database: Dsn, arguments: tuple[str, ...], why: str) -> None:
    done = run(project, "assess", *arguments, dsn=database)
    assert done.returncode == 2
    assert why in done.stderr


def test_hostile_text_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text('DROP TABLE "[/bold]\x1b[31m\u202eevil";\n')
    done = run(tmp_path, "assess", "x.sql")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "[/bold]" in done.stdout
