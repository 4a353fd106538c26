"""Reads functions, procedures, aggregates and window functions."""

from __future__ import annotations

from confiture_tui.core.catalog.models.dependencies import PG_PROC
from confiture_tui.core.catalog.models.routines import Routine, RoutineKind
from confiture_tui.core.catalog.reading.context import VOLATILITIES, Context
from confiture_tui.core.catalog.reading.query import USER_SCHEMA, Query, Rows, qualified

KINDS = {
    "f": RoutineKind.FUNCTION,
    "p": RoutineKind.PROCEDURE,
    "a": RoutineKind.AGGREGATE,
    "w": RoutineKind.WINDOW,
}
PARALLEL = {"s": "safe", "r": "restricted", "u": "unsafe"}

_AGGREGATE = """concat_ws(E'\\n', 'kind=' || a.aggkind::text, 'direct arguments=' || a.aggnumdirectargs,
    'sfunc=' || a.aggtransfn::text, 'stype=' || format_type(a.aggtranstype, NULL), 'sspace=' || a.aggtransspace,
    'finalfunc=' || a.aggfinalfn::text, 'finalfunc_extra=' || a.aggfinalextra,
    'finalfunc_modify=' || a.aggfinalmodify::text, 'combinefunc=' || a.aggcombinefn::text,
    'serialfunc=' || a.aggserialfn::text, 'deserialfunc=' || a.aggdeserialfn::text,
    'initcond=' || a.agginitval, 'msfunc=' || a.aggmtransfn::text, 'minvfunc=' || a.aggminvtransfn::text,
    'mstype=' || CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END,
    'msspace=' || a.aggmtransspace, 'mfinalfunc=' || a.aggmfinalfn::text,
    'mfinalfunc_extra=' || a.aggmfinalextra, 'mfinalfunc_modify=' || a.aggmfinalmodify::text,
    'minitcond=' || a.aggminitval, 'sortop=' || CASE WHEN a.aggsortop <> 0 THEN a.aggsortop::regoperator::text END)"""

QUERIES = (
    Query(
        "routines",
        "functions and procedures",
        f"""SELECT p.oid, n.nspname, p.proname, {qualified("n.nspname", "p.proname")}, p.prokind,
                oidvectortypes(p.proargtypes), pg_get_function_identity_arguments(p.oid),
                pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.provolatile,
                p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.proconfig, p.procost, p.prorows,
                CASE WHEN p.prosupport <> 0 THEN p.prosupport::text END, p.prosrc, pg_get_function_sqlbody(p.oid),
                p.probin, ARRAY(SELECT format_type(type, NULL) FROM unnest(p.protrftypes) AS type),
                CASE WHEN p.prokind = 'a' THEN {_AGGREGATE} ELSE pg_get_functiondef(p.oid) END,
                pg_get_userbyid(p.proowner), p.proacl::text[]
            FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace
            JOIN pg_language l ON l.oid = p.prolang
            LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
            WHERE {USER_SCHEMA}""",
        required=(6, 7, 23),
    ),
)


def build(rows: Rows, context: Context) -> list[Routine]:
    """All routines."""
    return [
        Routine(
            oid=oid,
            schema=schema,
            name=name,
            qualified_name=qualified_name,
            kind=KINDS[kind],
            argument_types=argument_types,
            identity_arguments=identity_arguments,
            arguments=arguments,
            result=result,
            language=language,
            volatility=VOLATILITIES[volatility],
            strict=strict,
            security_definer=security_definer,
            leakproof=leakproof,
            parallel=PARALLEL[parallel],
            configuration=tuple(configuration or ()),
            cost=cost,
            rows=result_rows,
            support=support,
            source=source,
            sql_body=sql_body,
            library=library,
            transforms=tuple(transforms),
            definition=definition,
            owner=owner,
            extension=context.extension(PG_PROC, oid),
            acl=context.acl("f", owner, acl),
            comment=context.comment(PG_PROC, oid),
        )
        for (
            oid,
            schema,
            name,
            qualified_name,
            kind,
            argument_types,
            identity_arguments,
            arguments,
            result,
            language,
            volatility,
            strict,
            security_definer,
            leakproof,
            parallel,
            configuration,
            cost,
            result_rows,
            support,
            source,
            sql_body,
            library,
            transforms,
            definition,
            owner,
            acl,
        ) in rows.get("routines", ())
    ]
