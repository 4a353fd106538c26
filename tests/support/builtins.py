"""What a server's system catalogs say of built-in types, casts, operators, their classes and functions, as tables.

``python -m tests.support.builtins BIN [BIN …]`` asks the servers of these directories, one a major, and writes the
tables that the package ships (``core/effects/data``). Each line ends with the first and the last major that has it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psycopg

from confiture_tui.database.embedded import EmbeddedServer

DATA = Path(__file__).parents[2] / "confiture_tui" / "core" / "effects" / "data"

Line = tuple[str, ...]

QUERIES = {
    # typname, name as format_type writes it, category, preferred, kind, element type of an array, subtype of a range,
    # volatility of the input and of the output function
    "types": """
        SELECT t.typname, format_type(t.oid, NULL), t.typcategory::text,
               CASE WHEN t.typispreferred THEN 'p' ELSE '' END,
               t.typtype::text, coalesce(e.typname, ''), coalesce(s.typname, ''),
               coalesce(i.provolatile::text, 'i'), coalesce(o.provolatile::text, 'i')
        FROM pg_type t
        LEFT JOIN pg_type e ON e.typarray = t.oid
        LEFT JOIN pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid) LEFT JOIN pg_type s ON s.oid = r.rngsubtype
        LEFT JOIN pg_proc i ON i.oid = t.typinput LEFT JOIN pg_proc o ON o.oid = t.typoutput
        WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typrelid = 0
          AND NOT EXISTS (SELECT FROM pg_type row WHERE row.typarray = t.oid AND row.typrelid <> 0)""",
    # source, target, context, method, volatility of its function
    "casts": """
        SELECT s.typname, t.typname, c.castcontext::text, c.castmethod::text, coalesce(p.provolatile::text, 'i')
        FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget
        LEFT JOIN pg_proc p ON p.oid = c.castfunc WHERE c.oid < 16384""",
    # name, left, right, result, volatility, strictness
    "operators": """
        SELECT o.oprname, coalesce(l.typname, ''), r.typname, t.typname, p.provolatile::text,
               CASE WHEN p.proisstrict THEN 's' ELSE '' END
        FROM pg_operator o LEFT JOIN pg_type l ON l.oid = o.oprleft JOIN pg_type r ON r.oid = o.oprright
        JOIN pg_type t ON t.oid = o.oprresult JOIN pg_proc p ON p.oid = o.oprcode WHERE o.oid < 16384""",
    # name, input types, result, volatility, flags: s strict, r set-returning, a aggregate, w window; number of
    # arguments with defaults; 'v' where the last argument is variadic
    "functions": """
        SELECT p.proname,
               coalesce((SELECT string_agg(t.typname, ',' ORDER BY a.n)
                         FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(oid, n)
                         JOIN pg_type t ON t.oid = a.oid), ''),
               r.typname, p.provolatile::text,
               concat(CASE WHEN p.proisstrict THEN 's' END, CASE WHEN p.proretset THEN 'r' END,
                      CASE WHEN p.prokind IN ('a', 'w') THEN p.prokind::text END,
                      CASE WHEN p.provariadic <> 0 THEN 'v' END),
               p.pronargdefaults::text
        FROM pg_proc p JOIN pg_type r ON r.oid = p.prorettype
        WHERE p.oid < 16384 AND p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind <> 'p'
          AND r.typname NOT IN ('internal', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler',
                                'index_am_handler', 'table_am_handler', 'tsm_handler', 'cstring')
          AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = ANY (p.proargtypes)
                          AND t.typname IN ('internal', 'cstring'))""",
    # name, type, unit, least and largest value, values of an enum, who may set it and when
    "settings": """
        SELECT lower(name), vartype, coalesce(unit, ''), coalesce(min_val, ''), coalesce(max_val, ''),
               coalesce(array_to_string(enumvals, ','), ''), context
        FROM pg_settings WHERE name NOT LIKE '%.%' AND context IN ('user', 'superuser', 'backend', 'superuser-backend')
          AND vartype <> 'string'""",
    # access method, name, type, 'd' for the default one of its type
    "operator_classes": """
        SELECT a.amname, o.opcname, t.typname, CASE WHEN o.opcdefault THEN 'd' ELSE '' END
        FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod JOIN pg_type t ON t.oid = o.opcintype
        WHERE o.oid < 16384""",
}


def lines_of(conn: psycopg.Connection[Any]) -> dict[str, list[Line]]:
    """The lines of each table as this server has them."""
    return {name: [tuple(row) for row in conn.execute(query.encode())] for name, query in QUERIES.items()}


def main(directories: list[str]) -> None:
    majors: dict[str, dict[Line, list[int]]] = {name: {} for name in QUERIES}
    every: list[int] = []
    for directory in directories:
        with EmbeddedServer.start(pg_bin=Path(directory)) as server:
            major = server.version_num // 10000
            every.append(major)
            with psycopg.connect(server.dsn().conninfo()) as conn:
                for name, lines in lines_of(conn).items():
                    for line in lines:
                        majors[name].setdefault(line, []).append(major)
    DATA.mkdir(exist_ok=True)
    for name, found in majors.items():
        rows = [
            "\t".join(
                (
                    *line,
                    "" if min(seen) == min(every) else str(min(seen)),
                    "" if max(seen) == max(every) else str(max(seen)),
                )
            )
            for line, seen in found.items()
        ]
        (DATA / f"{name}.tsv").write_text("\n".join(sorted(rows)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
