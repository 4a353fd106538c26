"""What the extensions that come with PostgreSQL bring along, as a table.

``python -m tests.support.extensions BIN [BIN …]`` asks the servers of these directories, one a major, and writes the
table that the package ships (``core/effects/data/extensions.tsv``). Each line ends with the first and the last major
that has it. ``@`` stands for the schema that an extension is in.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psycopg

from confiture_tui.database.embedded import EmbeddedServer
from tests.support.builtins import DATA

EXTENSIONS = (
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "unaccent",
    "uuid-ossp",
)
STAND_INS = {"pgcrypto", "uuid-ossp"}
"""Of these the embedded server may have its own stand-ins, with fewer functions."""

Line = tuple[str, ...]

NEWER = {("pgcrypto", "function", "fips_mode", "", "", "boolean", "fv"): 18}
"""What the documentation says is new in a major, where only a stand-in could be asked."""

_MEMBER = (
    "JOIN pg_depend d ON d.classid = {0}::regclass AND d.objid = {1}.oid AND d.deptype = 'e'"
    " JOIN pg_extension x ON x.oid = d.refobjid AND x.extname <> 'plpgsql'"
)
QUERIES = {
    # name, category, preferred
    "type": f"""
        SELECT t.typname, t.typcategory::text, t.typispreferred::text, ''
        FROM pg_type t {_MEMBER.format("'pg_type'", "t")} WHERE t.typtype = 'b' AND t.typelem = 0""",
    # name, input types, arguments, result, and its kind, volatility and strictness as letters
    "function": f"""
        SELECT p.proname, (SELECT coalesce(string_agg(format_type(a.oid, NULL), ', ' ORDER BY a.n), '')
                           FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(oid, n)),
               pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
               concat(p.prokind, p.provolatile, CASE WHEN p.proisstrict THEN 's' END)
        FROM pg_proc p {_MEMBER.format("'pg_proc'", "p")}
        WHERE NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = ANY (p.proargtypes::oid[] || p.prorettype)
                          AND t.typname IN ('internal', 'cstring'))""",
    # name, operand types, function, result
    "operator": f"""
        SELECT o.oprname, CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END
                          || ', ' || format_type(o.oprright, NULL),
               o.oprcode::regprocedure::text, format_type(o.oprresult, NULL)
        FROM pg_operator o {_MEMBER.format("'pg_operator'", "o")}""",
    # source, target, context, method, function
    "cast": f"""
        SELECT format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL), c.castcontext::text,
               c.castmethod::text, CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text ELSE '' END
        FROM pg_cast c {_MEMBER.format("'pg_cast'", "c")}""",
    # name, method, type, default
    "operator class": f"""
        SELECT o.opcname, a.amname, format_type(o.opcintype, NULL), o.opcdefault::text
        FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod {_MEMBER.format("'pg_opclass'", "o")}""",
    "operator family": f"""
        SELECT f.opfname, a.amname, '', ''
        FROM pg_opfamily f JOIN pg_am a ON a.oid = f.opfmethod {_MEMBER.format("'pg_opfamily'", "f")}""",
    "text search template": f"""
        SELECT t.tmplname, '', '', '' FROM pg_ts_template t {_MEMBER.format("'pg_ts_template'", "t")}""",
    "text search dictionary": f"""
        SELECT t.dictname, '', '', '' FROM pg_ts_dict t {_MEMBER.format("'pg_ts_dict'", "t")}""",
}


def lines_of(conn: psycopg.Connection[Any], extension: str) -> set[Line]:
    """The lines of an extension, which is made for that and dropped again."""
    conn.execute('CREATE SCHEMA "@"')
    conn.execute(f'CREATE EXTENSION "{extension}" SCHEMA "@"'.encode())
    found: set[Line] = set()
    for kind, query in QUERIES.items():
        for row in conn.execute(query.encode()):
            fields = [str(field).replace('"@".', "@.") for field in row]
            found.add((extension, kind, *fields, *[""] * (5 - len(fields))))
    conn.execute('DROP SCHEMA "@" CASCADE')
    return found


def main(directories: list[str]) -> None:
    majors: dict[Line, list[int]] = {}
    asked: dict[str, list[int]] = {}
    for directory in directories:
        with EmbeddedServer.start(pg_bin=Path(directory)) as server:
            major = server.version_num // 10000
            with psycopg.connect(server.dsn().conninfo(), autocommit=True) as conn:
                for extension in EXTENSIONS:
                    try:
                        lines = lines_of(conn, extension)
                    except psycopg.Error as error:
                        sys.stderr.write(f"{major}: {extension}: {error}\n")
                        conn.execute('DROP SCHEMA IF EXISTS "@" CASCADE')
                        continue
                    lines = {line for line in lines if "stand_in" not in line[2]}
                    lines |= {line for line, since in NEWER.items() if line[0] == extension and major >= since}
                    if extension in STAND_INS and asked.get(extension):
                        # What only a stand-in has is nobody else's.
                        lines = {line for line in lines if line in majors or line in NEWER}
                        lines |= {line for line, seen in majors.items() if line[0] == extension and major - 1 in seen}
                    asked.setdefault(extension, []).append(major)
                    for line in lines:
                        majors.setdefault(line, []).append(major)
    rows = []
    for line, seen in majors.items():
        every = asked[line[0]]
        since = "" if min(seen) == min(every) else str(min(seen))
        until = "" if max(seen) == max(every) else str(max(seen))
        rows.append("\t".join((*line, since, until)))
    (DATA / "extensions.tsv").write_text("\n".join(sorted(rows)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
