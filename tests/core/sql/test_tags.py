"""Command tags are those that a server reports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.script import Script
from confiture_tui.core.sql.tags import tag_of, tag_of_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

SCHEMA = """
CREATE TABLE t (a int PRIMARY KEY, b text); CREATE VIEW v AS SELECT * FROM t; CREATE SEQUENCE s;
CREATE INDEX i ON t (b); CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE TYPE ty AS (x int);
CREATE TYPE en AS ENUM ('a'); CREATE DOMAIN d AS int;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p() LANGUAGE sql AS ''; CREATE SCHEMA sc;
CREATE FUNCTION report() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'tag=%', TG_TAG; END $$;
CREATE TABLE parts (a int) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
CREATE EVENT TRIGGER report ON ddl_command_start EXECUTE FUNCTION report();
"""

# Some of these fail for want of an object; the event trigger has reported their tag by then.
STATEMENTS = """
ALTER TABLE t ADD c int; ALTER TABLE t RENAME COLUMN c TO cc; ALTER TABLE t RENAME TO tt; ALTER TABLE tt RENAME TO t;
ALTER TABLE t RENAME CONSTRAINT t_pkey TO pk; ALTER TABLE t SET SCHEMA sc; ALTER TABLE sc.t SET SCHEMA public;
ALTER TABLE t OWNER TO CURRENT_USER; ALTER TABLE v RENAME COLUMN b TO bb; ALTER VIEW v RENAME COLUMN bb TO b;
ALTER VIEW v ALTER COLUMN b SET DEFAULT 'x'; ALTER VIEW v RENAME TO vv; ALTER VIEW vv RENAME TO v; ALTER INDEX i RENAME TO j;
ALTER INDEX j SET (fillfactor = 90); ALTER SEQUENCE s RESTART; ALTER SEQUENCE s RENAME TO s2; ALTER SEQUENCE s2 OWNER TO CURRENT_USER;
ALTER MATERIALIZED VIEW m RENAME TO mm; ALTER MATERIALIZED VIEW mm SET (fillfactor = 90); ALTER TYPE ty ADD ATTRIBUTE y int;
ALTER TYPE ty RENAME ATTRIBUTE y TO z; ALTER TYPE ty RENAME TO ty2; ALTER TYPE en ADD VALUE 'b'; ALTER TYPE en RENAME VALUE 'a' TO 'c';
ALTER TYPE nothing SET (receive = none); ALTER DOMAIN d SET NOT NULL; ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0);
ALTER DOMAIN d RENAME CONSTRAINT k TO kk; ALTER DOMAIN d RENAME TO d2; ALTER FUNCTION f() STABLE; ALTER FUNCTION f() RENAME TO g;
ALTER PROCEDURE p() OWNER TO CURRENT_USER; ALTER PROCEDURE p() SECURITY DEFINER; ALTER ROUTINE g() VOLATILE; ALTER ROUTINE g() RENAME TO f;
ALTER FUNCTION f() DEPENDS ON EXTENSION plpgsql; ALTER FUNCTION f() NO DEPENDS ON EXTENSION plpgsql;
ALTER SCHEMA sc RENAME TO sd; ALTER SCHEMA sd OWNER TO CURRENT_USER; ALTER TRIGGER x ON t RENAME TO y; ALTER RULE x ON t RENAME TO y;
ALTER POLICY x ON t RENAME TO y; ALTER POLICY x ON t USING (true); ALTER EXTENSION plpgsql UPDATE; ALTER EXTENSION plpgsql ADD TABLE t;
ALTER FOREIGN TABLE x ADD y int; ALTER FOREIGN DATA WRAPPER x OPTIONS (a 'b'); ALTER FOREIGN DATA WRAPPER x RENAME TO y;
ALTER SERVER x OPTIONS (a 'b'); ALTER SERVER x RENAME TO y; ALTER USER MAPPING FOR CURRENT_USER SERVER x OPTIONS (a 'b');
ALTER AGGREGATE x(int) RENAME TO y; ALTER COLLATION x RENAME TO y; ALTER COLLATION x REFRESH VERSION; ALTER CONVERSION x RENAME TO y;
ALTER LANGUAGE x RENAME TO y; ALTER OPERATOR CLASS x USING btree RENAME TO y; ALTER OPERATOR FAMILY x USING btree RENAME TO y;
ALTER OPERATOR FAMILY x USING btree ADD OPERATOR 1 < (int, int); ALTER OPERATOR + (int, int) SET (restrict = none);
ALTER OPERATOR = (ty2, ty2) OWNER TO CURRENT_USER; ALTER STATISTICS x SET STATISTICS 5; ALTER STATISTICS x RENAME TO y;
ALTER TEXT SEARCH CONFIGURATION x RENAME TO y; ALTER TEXT SEARCH CONFIGURATION x ADD MAPPING FOR a WITH b;
ALTER TEXT SEARCH DICTIONARY x (a = b); ALTER TEXT SEARCH PARSER x RENAME TO y; ALTER TEXT SEARCH TEMPLATE x RENAME TO y;
ALTER PUBLICATION x SET TABLE t; ALTER PUBLICATION x RENAME TO y; ALTER SUBSCRIPTION x DISABLE; ALTER SUBSCRIPTION x RENAME TO y;
ALTER LARGE OBJECT 1 OWNER TO CURRENT_USER; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default; ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE pg_default;
ALTER TABLE parts DETACH PARTITION part; ALTER TABLE parts ATTACH PARTITION part FOR VALUES IN (1);
ALTER ROLE CURRENT_USER SET work_mem = '4MB'; ALTER USER CURRENT_USER RESET work_mem; ALTER ROLE CURRENT_USER CREATEDB;
ALTER DATABASE postgres SET work_mem = '4MB'; ALTER DATABASE postgres RESET work_mem; ALTER DATABASE postgres CONNECTION LIMIT -1;
ALTER SYSTEM SET work_mem = '4MB'; ALTER SYSTEM RESET work_mem; ALTER TABLESPACE pg_default RESET (seq_page_cost);
CREATE TABLE n (a int); CREATE UNLOGGED TABLE n2 (a int); CREATE TEMP TABLE n3 AS SELECT 1; CREATE TABLE n4 AS VALUES (1);
SELECT 1 INTO n5; SELECT 1 INTO n6 UNION SELECT 2; CREATE MATERIALIZED VIEW n7 AS SELECT 1; CREATE VIEW n8 AS SELECT 1;
CREATE OR REPLACE RECURSIVE VIEW n9 (a) AS SELECT 1; CREATE UNIQUE INDEX n10 ON n (a); CREATE INDEX CONCURRENTLY n11 ON n (a);
CREATE SEQUENCE n12; CREATE FUNCTION n13() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE OR REPLACE PROCEDURE n14() LANGUAGE sql AS '';
CREATE TRIGGER n15 BEFORE INSERT ON n EXECUTE FUNCTION f(); CREATE CONSTRAINT TRIGGER n16 AFTER INSERT ON n FOR EACH ROW EXECUTE FUNCTION f();
CREATE RULE n17 AS ON INSERT TO n DO ALSO (SELECT 1; SELECT 2); CREATE POLICY n18 ON n; CREATE SCHEMA n19; CREATE DOMAIN n20 AS int;
CREATE TYPE n21 AS (a int); CREATE TYPE n22 AS ENUM (); CREATE TYPE n23 AS RANGE (subtype = int); CREATE TYPE n24;
CREATE AGGREGATE n25(int) (sfunc = int4pl, stype = int); CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);
CREATE OPERATOR CLASS n26 FOR TYPE int USING btree AS OPERATOR 1 <; CREATE OPERATOR FAMILY n27 USING btree; CREATE CAST (int AS n21) WITH INOUT;
CREATE COLLATION n28 FROM "C"; CREATE CONVERSION n29 FOR 'UTF8' TO 'LATIN1' FROM nothing; CREATE TEXT SEARCH CONFIGURATION n30 (copy = simple);
CREATE TEXT SEARCH DICTIONARY n31 (template = simple); CREATE TEXT SEARCH PARSER n32 (start = a); CREATE TEXT SEARCH TEMPLATE n33 (lexize = a);
CREATE STATISTICS n34 ON a, b FROM t; CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE FOREIGN DATA WRAPPER n35; CREATE SERVER n36 FOREIGN DATA WRAPPER n35;
CREATE USER MAPPING FOR CURRENT_USER SERVER n36; CREATE FOREIGN TABLE n37 (a int) SERVER n36; IMPORT FOREIGN SCHEMA a FROM SERVER n36 INTO public;
CREATE PUBLICATION n38; CREATE SUBSCRIPTION n39 CONNECTION 'x' PUBLICATION y WITH (connect = false); CREATE LANGUAGE n40 HANDLER f;
CREATE TRANSFORM FOR n21 LANGUAGE sql (FROM SQL WITH FUNCTION f(internal)); CREATE ACCESS METHOD n41 TYPE TABLE HANDLER heap_tableam_handler;
CREATE ROLE tags_role; CREATE USER tags_user; CREATE GROUP tags_group; GRANT tags_role TO tags_user; REVOKE tags_role FROM tags_user;
GRANT SELECT ON t TO tags_role; REVOKE SELECT ON t FROM tags_role; REASSIGN OWNED BY tags_role TO CURRENT_USER; DROP OWNED BY tags_role;
DROP ROLE tags_role; DROP USER tags_user; DROP GROUP tags_group; SECURITY LABEL FOR x ON TABLE t IS 'y'; COMMENT ON TABLE t IS 'x';
REFRESH MATERIALIZED VIEW mm; REINDEX INDEX j; REINDEX (CONCURRENTLY) TABLE n; CLUSTER t USING pk; CLUSTER; VACUUM t; VACUUM (ANALYZE) t; ANALYZE t;
INSERT INTO t (a) VALUES (1), (2); UPDATE t SET b = 'x'; DELETE FROM t WHERE a = 1; SELECT 1; VALUES (1); TABLE t; WITH x AS (SELECT 1) SELECT 2;
TRUNCATE t; LISTEN x; NOTIFY x; UNLISTEN x; LOAD 'plpgsql'; DO 'BEGIN END'; CALL p(); CHECKPOINT; EXPLAIN SELECT 1; SHOW work_mem;
SET work_mem = '4MB'; SET LOCAL work_mem = '4MB'; SET TRANSACTION READ ONLY; RESET work_mem; RESET ALL; DISCARD PLANS; DISCARD TEMP;
DISCARD SEQUENCES; DISCARD ALL; PREPARE x AS SELECT 1; DEALLOCATE x; DEALLOCATE ALL; BEGIN; SAVEPOINT x; LOCK TABLE t; SET CONSTRAINTS ALL DEFERRED;
DECLARE c CURSOR FOR SELECT 1; FETCH c; MOVE c; CLOSE c; CLOSE ALL; ROLLBACK TO x; RELEASE x; COMMIT; START TRANSACTION; END; BEGIN; ABORT;
CREATE DATABASE tags_db; ALTER DATABASE tags_db REFRESH COLLATION VERSION; DROP DATABASE tags_db; CREATE EVENT TRIGGER n42 ON sql_drop EXECUTE FUNCTION report();
ALTER EVENT TRIGGER n42 DISABLE; ALTER EVENT TRIGGER n42 RENAME TO n43; DROP EVENT TRIGGER n43;
DROP TABLE n2; DROP VIEW n8; DROP MATERIALIZED VIEW n7; DROP INDEX n10; DROP INDEX CONCURRENTLY n11; DROP SEQUENCE n12; DROP FUNCTION n13();
DROP PROCEDURE n14(); DROP ROUTINE x; DROP TRIGGER n15 ON n; DROP RULE n17 ON n; DROP POLICY n18 ON n; DROP SCHEMA n19; DROP DOMAIN n20;
DROP TYPE n23; DROP AGGREGATE n25(int); DROP OPERATOR === (int, int); DROP OPERATOR CLASS x USING btree; DROP OPERATOR FAMILY x USING btree;
DROP CAST (int AS n21); DROP COLLATION n28; DROP CONVERSION x; DROP TEXT SEARCH CONFIGURATION n30; DROP TEXT SEARCH DICTIONARY n31;
DROP TEXT SEARCH PARSER x; DROP TEXT SEARCH TEMPLATE x; DROP STATISTICS n34; DROP EXTENSION x; DROP USER MAPPING FOR CURRENT_USER SERVER n36;
DROP FOREIGN TABLE n37; DROP SERVER n36; DROP FOREIGN DATA WRAPPER n35; DROP PUBLICATION n38; DROP SUBSCRIPTION x; DROP LANGUAGE x;
DROP TRANSFORM FOR int LANGUAGE sql; DROP ACCESS METHOD n41
"""  # noqa: E501 - a list of statements

# The server says nothing but an error, or the driver does not hand it on; from the documentation.
DOCUMENTED = {
    "COPY t TO STDOUT": "COPY",
    "COPY t FROM STDIN": "COPY",
    "CREATE TABLESPACE x LOCATION '/x'": "CREATE TABLESPACE",
    "DROP TABLESPACE x": "DROP TABLESPACE",
    "EXECUTE x": "EXECUTE",
    "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE": "MERGE",
    "PREPARE TRANSACTION 'x'": "PREPARE TRANSACTION",
    "COMMIT PREPARED 'x'": "COMMIT PREPARED",
    "ROLLBACK PREPARED 'x'": "ROLLBACK PREPARED",
}


# The first version whose grammar has it, as a number.
SINCE = {"ALTER DATABASE tags_db REFRESH COLLATION VERSION": 150000}


def reported(conn: psycopg.Connection[Any], sql: str, notices: list[str]) -> str | None:
    """The tag that the server reports: to an event trigger, or to the client; ``None`` when it only fails."""
    notices.clear()
    tag: str | None = None
    try:
        tag = conn.execute(sql.encode()).statusmessage
    except psycopg.Error:
        tag = None  # it failed, but an event trigger may have been told before that
    named = [notice.removeprefix("tag=") for notice in notices if notice.startswith("tag=")]
    return named[0] if named else tag and re.sub(r"[ 0-9]+$", "", tag)


def test_tags_are_those_of_the_server(database_from: Callable[[str], Dsn]) -> None:
    statements = Script(STATEMENTS).statements
    notices: list[str] = []
    silent, different = [], []
    with psycopg.connect(
        database_from(SCHEMA).conninfo(), autocommit=True, options="-c client_min_messages=notice"
    ) as conn:
        conn.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        for statement in statements:
            assert statement.problem is None, statement
            if conn.info.server_version < SINCE.get(statement.sql, 0):
                continue
            tag = reported(conn, statement.sql, notices)
            if tag is None:
                silent.append((statement.tag, statement.sql))
            elif tag != statement.tag:
                different.append((tag, statement.tag, statement.sql))
    assert different == []
    assert silent == [], "a statement that says nothing proves nothing: mend or remove it"
    assert len({statement.tag for statement in statements}) > 150


@pytest.mark.parametrize(("sql", "tag"), DOCUMENTED.items())
def test_tags_from_the_documentation(sql: str, tag: str) -> None:
    assert Script(sql).statements[0].tag == tag


def test_a_kind_that_is_not_known_yet_has_a_tag_all_the_same() -> None:
    assert tag_of("CreateWormholeStmt", {}) == "CREATE WORMHOLE"


@pytest.mark.parametrize(
    ("sql", "tag"),
    [
        ("alter table a ad b", "ALTER TABLE"),
        ("create or /* x */ replace\n function f(", "CREATE FUNCTION"),
        ("create unique index concurrently", "CREATE INDEX"),
        ("create temp table x (", "CREATE TABLE"),
        ("drop materialized view a b", "DROP MATERIALIZED VIEW"),
        ("alter text search configuration x y", "ALTER TEXT SEARCH CONFIGURATION"),
        ("refresh nothing", "REFRESH"),
        ("create nonsense", "CREATE"),
        ("begin nonsense", "BEGIN"),
        ("[/bold] \x1b[31m", "SQL"),
        ("\u202edrop table x", "SQL"),
        ("'", "SQL"),
        ("", "SQL"),
    ],
)
def test_a_broken_statement_has_the_tag_of_its_key_words(sql: str, tag: str) -> None:
    assert tag_of_words(sql) == tag


@pytest.mark.parametrize(
    "sql", [one.strip() for one in STATEMENTS.split(";") if "$" not in one and "DO ALSO" not in one]
)
def test_key_words_alone_suggest_the_same_verb(sql: str) -> None:
    if not sql or parse(sql).__class__ is not tuple:
        return
    whole = Script(sql).statements[0].tag
    assert tag_of_words(sql).split()[0] in (*whole.split(), "SQL", "VALUES", "WITH", "SELECT")
