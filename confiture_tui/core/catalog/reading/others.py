"""Reads the kinds of object that a list of properties describes: operators, casts, publications, servers, …

Every part gives the same columns: the catalog's oid, the object's oid, its kind, its identity, its owner, the letter of
acldefault for its kind, its grants, its options (foreign objects), and its properties as name, value, name, value, …
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.catalog.reading.options import option_texts
from confiture_tui.core.catalog.reading.query import FIRST_USER_OID, USER_SCHEMA, Query, Rows, Target, qualified

if TYPE_CHECKING:
    from confiture_tui.core.catalog.reading.context import Context

_NO_ACL = "NULL, NULL::text[], NULL::text[]"


def _operators(_: Target) -> str:
    return f"""
    SELECT 'pg_operator'::regclass::oid, o.oid, 'operator',
        quote_ident(n.nspname) || '.' || o.oprname || '(' ||
        CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END || ', ' ||
        CASE WHEN o.oprright = 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END || ')',
        pg_get_userbyid(o.oprowner), {_NO_ACL},
        ARRAY['function', o.oprcode::text, 'result', format_type(NULLIF(o.oprresult, 0), NULL),
              'commutator', CASE WHEN o.oprcom <> 0 THEN o.oprcom::regoperator::text END,
              'negator', CASE WHEN o.oprnegate <> 0 THEN o.oprnegate::regoperator::text END,
              'restrict', o.oprrest::text, 'join', o.oprjoin::text,
              'hashes', o.oprcanhash::text, 'merges', o.oprcanmerge::text]
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE {USER_SCHEMA}
    UNION ALL
    SELECT 'pg_opclass'::regclass::oid, o.oid, 'operator class',
        {qualified("n.nspname", "o.opcname")} || ' USING ' || quote_ident(am.amname),
        pg_get_userbyid(o.opcowner), {_NO_ACL},
        ARRAY['type', format_type(o.opcintype, NULL), 'default', o.opcdefault::text,
              'storage', CASE WHEN o.opckeytype <> 0 THEN format_type(o.opckeytype, NULL) END,
              'family', (SELECT {qualified("fn.nspname", "f.opfname")} FROM pg_opfamily f
                         JOIN pg_namespace fn ON fn.oid = f.opfnamespace WHERE f.oid = o.opcfamily)]
    FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am am ON am.oid = o.opcmethod
    WHERE {USER_SCHEMA}
    UNION ALL
    SELECT 'pg_opfamily'::regclass::oid, f.oid, 'operator family',
        {qualified("n.nspname", "f.opfname")} || ' USING ' || quote_ident(am.amname),
        pg_get_userbyid(f.opfowner), {_NO_ACL},
        ARRAY['operators', (SELECT string_agg(item, ', ' ORDER BY item COLLATE "C") FROM (
                  SELECT concat_ws(' ', amopstrategy, amopopr::regoperator::text, amoppurpose,
                         CASE WHEN amopsortfamily <> 0 THEN (SELECT {qualified("sn.nspname", "sf.opfname")}
                            FROM pg_opfamily sf JOIN pg_namespace sn ON sn.oid = sf.opfnamespace
                            WHERE sf.oid = amopsortfamily) END) AS item
                  FROM pg_amop WHERE amopfamily = f.oid) AS items),
              'functions', (SELECT string_agg(item, ', ' ORDER BY item COLLATE "C") FROM (
                  SELECT concat_ws(' ', amprocnum, format_type(amproclefttype, NULL),
                         format_type(amprocrighttype, NULL),
                         amproc::regprocedure::text) AS item
                  FROM pg_amproc WHERE amprocfamily = f.oid) AS items)]
    FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am am ON am.oid = f.opfmethod
    WHERE {USER_SCHEMA}"""


def _conversions(target: Target) -> str:
    # What names the locale moved: collcollate for libc in all, colliculocale in 15 and 16, colllocale from 17 on.
    if target.version >= 170000:
        locale = "c.colllocale"
    elif target.version >= 150000:
        locale = "c.colliculocale"
    else:
        locale = "NULL"
    rules = "c.collicurules" if target.version >= 160000 else "NULL"
    return f"""
    SELECT 'pg_cast'::regclass::oid, c.oid, 'cast',
        '(' || format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) || ')',
        NULL::name, {_NO_ACL},
        ARRAY['function', CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END,
              'context', c.castcontext::text, 'method', c.castmethod::text]
    FROM pg_cast c WHERE c.oid >= {FIRST_USER_OID}
    UNION ALL
    SELECT 'pg_collation'::regclass::oid, c.oid, 'collation', {qualified("n.nspname", "c.collname")},
        pg_get_userbyid(c.collowner), {_NO_ACL},
        ARRAY['provider', c.collprovider::text, 'deterministic', c.collisdeterministic::text,
              'lc_collate', c.collcollate, 'lc_ctype', c.collctype, 'locale', {locale}, 'rules', {rules}]
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE {USER_SCHEMA}
    UNION ALL
    SELECT 'pg_conversion'::regclass::oid, c.oid, 'conversion', {qualified("n.nspname", "c.conname")},
        pg_get_userbyid(c.conowner), {_NO_ACL},
        ARRAY['from', pg_encoding_to_char(c.conforencoding), 'to', pg_encoding_to_char(c.contoencoding),
              'function', c.conproc::text, 'default', c.condefault::text]
    FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE {USER_SCHEMA}
    UNION ALL
    SELECT 'pg_transform'::regclass::oid, t.oid, 'transform',
        'FOR ' || format_type(t.trftype, NULL) || ' LANGUAGE ' || quote_ident(l.lanname), NULL, {_NO_ACL},
        ARRAY['from', CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::regprocedure::text END,
              'to', CASE WHEN t.trftosql <> 0 THEN t.trftosql::regprocedure::text END]
    FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
    UNION ALL
    SELECT 'pg_am'::regclass::oid, a.oid, 'access method', quote_ident(a.amname), NULL, {_NO_ACL},
        ARRAY['type', a.amtype::text, 'handler', a.amhandler::text]
    FROM pg_am a WHERE a.oid >= {FIRST_USER_OID}
    UNION ALL
    SELECT 'pg_language'::regclass::oid, l.oid, 'language', quote_ident(l.lanname), pg_get_userbyid(l.lanowner),
        'l', l.lanacl::text[], NULL::text[],
        ARRAY['trusted', l.lanpltrusted::text,
              'handler', CASE WHEN l.lanplcallfoid <> 0 THEN l.lanplcallfoid::regproc::text END,
              'inline', CASE WHEN l.laninline <> 0 THEN l.laninline::regproc::text END,
              'validator', CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::regproc::text END]
    FROM pg_language l WHERE l.oid >= {FIRST_USER_OID} OR l.lanacl IS NOT NULL"""


def _text_search(_: Target) -> str:
    return f"""
    SELECT 'pg_ts_config'::regclass::oid, c.oid, 'text search configuration', {qualified("n.nspname", "c.cfgname")},
        pg_get_userbyid(c.cfgowner), {_NO_ACL},
        ARRAY['parser', (SELECT {qualified("pn.nspname", "p.prsname")} FROM pg_ts_parser p
                         JOIN pg_namespace pn ON pn.oid = p.prsnamespace WHERE p.oid = c.cfgparser),
              'mappings', (SELECT string_agg(token || ': ' || dictionaries, '; ' ORDER BY token) FROM (
                  SELECT m.maptokentype AS token,
                         string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS dictionaries
                  FROM pg_ts_config_map m WHERE m.mapcfg = c.oid GROUP BY m.maptokentype) AS mappings)]
    FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace WHERE {USER_SCHEMA}
    UNION ALL
    SELECT 'pg_ts_dict'::regclass::oid, d.oid, 'text search dictionary', {qualified("n.nspname", "d.dictname")},
        pg_get_userbyid(d.dictowner), {_NO_ACL},
        ARRAY['template', (SELECT {qualified("tn.nspname", "t.tmplname")} FROM pg_ts_template t
                           JOIN pg_namespace tn ON tn.oid = t.tmplnamespace WHERE t.oid = d.dicttemplate),
              'options', d.dictinitoption]
    FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace WHERE {USER_SCHEMA}
    UNION ALL
    SELECT 'pg_ts_parser'::regclass::oid, p.oid, 'text search parser', {qualified("n.nspname", "p.prsname")}, NULL,
        {_NO_ACL},
        ARRAY['start', p.prsstart::text, 'token', p.prstoken::text, 'end', p.prsend::text,
              'headline', p.prsheadline::text, 'types', p.prslextype::text]
    FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE {USER_SCHEMA}
    UNION ALL
    SELECT 'pg_ts_template'::regclass::oid, t.oid, 'text search template', {qualified("n.nspname", "t.tmplname")}, NULL,
        {_NO_ACL}, ARRAY['init', t.tmplinit::text, 'lexize', t.tmpllexize::text]
    FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE {USER_SCHEMA}"""


def _foreign(_: Target) -> str:
    # Of user mappings only that they exist: their options hold passwords.
    return f"""
    SELECT 'pg_foreign_data_wrapper'::regclass::oid, w.oid, 'foreign data wrapper', quote_ident(w.fdwname),
        pg_get_userbyid(w.fdwowner), 'F', w.fdwacl::text[], w.fdwoptions,
        ARRAY['handler', CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regproc::text END,
              'validator', CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regproc::text END]
    FROM pg_foreign_data_wrapper w
    UNION ALL
    SELECT 'pg_foreign_server'::regclass::oid, s.oid, 'foreign server', quote_ident(s.srvname),
        pg_get_userbyid(s.srvowner), 'S', s.srvacl::text[], s.srvoptions,
        ARRAY['type', s.srvtype, 'version', s.srvversion, 'foreign data wrapper', quote_ident(w.fdwname)]
    FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    UNION ALL
    SELECT 'pg_user_mapping'::regclass::oid, m.umid, 'user mapping',
        CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END || ' SERVER ' || quote_ident(m.srvname),
        NULL, {_NO_ACL}, ARRAY[]::text[]
    FROM pg_user_mappings m"""


def _publications(target: Target) -> str:
    if target.version >= 150000:
        table = """|| coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C")
                FROM unnest(r.prattrs::int2[]) AS number JOIN pg_attribute a ON a.attrelid = r.prrelid
                 AND a.attnum = number) || ')', '')
            || coalesce(' WHERE ' || pg_get_expr(r.prqual, r.prrelid), '')"""
        schemas = """(SELECT string_agg(s.pnnspid::regnamespace::text, ', ' ORDER BY s.pnnspid::regnamespace::text)
            FROM pg_publication_namespace s WHERE s.pnpubid = p.oid)"""
    else:
        table, schemas = "", "NULL"
    generated = "p.pubgencols::text" if target.version >= 180000 else "NULL"
    return f"""
    SELECT 'pg_publication'::regclass::oid, p.oid, 'publication', quote_ident(p.pubname),
        pg_get_userbyid(p.pubowner), {_NO_ACL},
        ARRAY['all tables', p.puballtables::text,
              'publish', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
                         CASE WHEN p.pubupdate THEN 'update' END,
                         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END),
              'via root', p.pubviaroot::text, 'generated columns', {generated}, 'schemas', {schemas},
              'tables', (SELECT string_agg(item, ', ' ORDER BY item COLLATE "C") FROM (
                  SELECT r.prrelid::regclass::text {table} AS item
                  FROM pg_publication_rel r WHERE r.prpubid = p.oid) AS items)]
    FROM pg_publication p"""


def _statistics_objects(_: Target) -> str:
    return f"""
    SELECT 'pg_statistic_ext'::regclass::oid, s.oid, 'statistics object', {qualified("n.nspname", "s.stxname")},
        pg_get_userbyid(s.stxowner), {_NO_ACL},
        ARRAY['definition', pg_get_statisticsobjdef(s.oid), 'target', NULLIF(s.stxstattarget, -1)::text]
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {USER_SCHEMA}"""


def _subscriptions(_: Target) -> str:
    # Never subconninfo, which holds a password and which only superusers may read.
    return f"""
    SELECT 'pg_subscription'::regclass::oid, s.oid, 'subscription', quote_ident(s.subname),
        pg_get_userbyid(s.subowner), {_NO_ACL},
        ARRAY['enabled', s.subenabled::text, 'slot', s.subslotname::text, 'synchronous commit', s.subsynccommit,
              'publications', array_to_string(s.subpublications, ', ')]
    FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"""


QUERIES = (
    Query("operators", "operators, operator classes and families", _operators),
    Query("conversions", "casts, collations, conversions, transforms, access methods and languages", _conversions),
    Query("text_search", "text search objects", _text_search),
    Query("foreign", "foreign data wrappers, foreign servers and user mappings", _foreign),
    Query("publications", "publications", _publications),
    Query("statistics_objects", "statistics objects", _statistics_objects),
    Query("subscriptions", "subscriptions", _subscriptions),
)


def build(rows: Rows, context: Context) -> list[OtherObject]:
    """All of them."""
    objects: list[OtherObject] = []
    for query in QUERIES:
        for class_oid, oid, kind, identity, owner, acl_kind, acl, options, pairs in rows.get(query.name, ()):
            properties = list(zip(pairs[::2], pairs[1::2], strict=True))
            if options:
                properties.append(("options", ", ".join(option_texts(options))))
            objects.append(
                OtherObject(
                    class_oid,
                    oid,
                    kind,
                    identity,
                    owner,
                    tuple(properties),
                    context.extension(class_oid, oid),
                    context.acl(acl_kind, owner, acl) if acl_kind else None,
                    context.comment(class_oid, oid),
                )
            )
    return objects
