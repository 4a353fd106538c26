"""What the builders of all families need: names by oid, comments, extensions, and how grants are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from confiture_tui.core.catalog.models.access import Acl, Grant
from confiture_tui.core.catalog.models.columns import Column, Volatility
from confiture_tui.core.catalog.reading.query import FIRST_USER_OID, Query, Row, Rows

QUERIES = (
    Query(
        "comments",
        "comments",
        f"""SELECT classoid, objoid, objsubid, description FROM pg_description
            WHERE objoid >= {FIRST_USER_OID}
               OR classoid = 'pg_namespace'::regclass OR classoid = 'pg_extension'::regclass""",
    ),
    Query(
        "members",
        "members of extensions",
        """SELECT d.classid, d.objid, e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'""",
    ),
    Query(
        "default_acls",
        "default grants",
        """SELECT kind, pg_get_userbyid(owner), acldefault(kind, owner)::text[]
            FROM (SELECT relowner AS owner FROM pg_class UNION SELECT proowner FROM pg_proc
                  UNION SELECT typowner FROM pg_type UNION SELECT nspowner FROM pg_namespace
                  UNION SELECT lanowner FROM pg_language UNION SELECT fdwowner FROM pg_foreign_data_wrapper
                  UNION SELECT srvowner FROM pg_foreign_server) AS owners,
                 unnest('{r,s,f,T,n,l,F,S}'::"char"[]) AS kind""",
    ),
    Query(
        "collations",
        "collations",
        """SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.collname)
            FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace""",
    ),
    Query(
        "opclasses",
        "operator classes",
        """SELECT o.oid, quote_ident(n.nspname) || '.' || quote_ident(o.opcname),
                CASE WHEN o.opcdefault AND o.opcmethod = 403 AND o.opckeytype = 0 THEN o.opcintype END
            FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace""",
    ),
    Query(
        "names",
        "tablespaces and access methods",
        """SELECT oid, spcname FROM pg_tablespace UNION ALL SELECT oid, amname FROM pg_am""",
    ),
)

DEPENDENCIES = (
    Query(
        "dependencies",
        "dependencies",
        # 2200 is public, the one schema that initdb makes and that can be dropped.
        # One text for each column: there are very many rows, and they are read one by one only when first asked for.
        f"""SELECT classid, refclassid, deptype, array_agg(objid)::text, array_agg(objsubid)::text,
                array_agg(refobjid)::text, array_agg(refobjsubid)::text
            FROM pg_depend
            WHERE objid >= {FIRST_USER_OID} AND (
                  refobjid >= {FIRST_USER_OID} OR refobjid = 2200 AND refclassid = 'pg_namespace'::regclass
                  OR refclassid = 'pg_extension'::regclass)
            GROUP BY classid, refclassid, deptype""",
    ),
)

PRIVILEGES = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
    "c": "CONNECT",
    "T": "TEMPORARY",
    "s": "SET",
    "A": "ALTER SYSTEM",
}
"""The letters of an access control list (PostgreSQL documentation, table 5.1)."""

_ROWS_AT_A_TIME = 500
"""Rows that are built before the next look at the connection: a few milliseconds."""

VOLATILITIES = {"i": Volatility.IMMUTABLE, "s": Volatility.STABLE, "v": Volatility.VOLATILE}


@dataclass(slots=True)
class Context:
    """Look-ups shared by the builders; filled from the rows, and from each family once it is built.

    ``take_in`` reads what the server has sent meanwhile, without waiting: see ``steadily``.
    """

    take_in: Callable[[], object] = lambda: None
    comments: dict[int, dict[int, str]] = field(default_factory=dict)
    column_comments: dict[int, dict[int, str]] = field(default_factory=dict)
    extensions: dict[tuple[int, int], str] = field(default_factory=dict)
    collations: dict[int, str] = field(default_factory=dict)
    opclasses: dict[int, str] = field(default_factory=dict)
    btree_defaults: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    relation_names: dict[int, str] = field(default_factory=dict)
    columns_by_number: dict[int, dict[int, Column]] = field(default_factory=dict)
    _default_acls: dict[tuple[str, str], Acl] = field(default_factory=dict)
    _parsed: dict[tuple[str, ...], Acl] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, take_in: Callable[[], object]) -> Context:
        """The context that these rows give; what could not be read is empty."""
        comments: defaultdict[int, dict[int, str]] = defaultdict(dict)
        column_comments: defaultdict[int, dict[int, str]] = defaultdict(dict)
        for class_oid, oid, number, text in rows.get("comments", ()):
            if number:
                column_comments[oid][number] = text
            else:
                comments[class_oid][oid] = text
        context = cls(
            take_in=take_in,
            comments=comments,
            column_comments=column_comments,
            extensions={(class_oid, oid): name for class_oid, oid, name in rows.get("members", ())},
            collations=dict(rows.get("collations", ())),
            opclasses={oid: name for oid, name, _ in rows.get("opclasses", ())},
            btree_defaults={type_oid: oid for oid, _, type_oid in rows.get("opclasses", ()) if type_oid},
            names=dict(rows.get("names", ())),
        )
        for kind, owner, items in rows.get("default_acls", ()):
            context._default_acls[kind, owner] = context.parse(items)
        return context

    def steadily(self, rows: Sequence[Row]) -> Iterator[Row]:
        """The rows one by one, taking in meanwhile what the server sends.

        Else it would stop working on the next queries as soon as what it has sent fills the connection's buffer.
        """
        return chain.from_iterable(self._lots(rows))

    def _lots(self, rows: Sequence[Row]) -> Iterable[Sequence[Row]]:
        for start in range(0, len(rows), _ROWS_AT_A_TIME):
            self.take_in()
            yield rows[start : start + _ROWS_AT_A_TIME]

    def comment(self, class_oid: int, oid: int) -> str | None:
        """The comment on an object, or ``None``."""
        return self.comments_on(class_oid).get(oid)

    def comments_on(self, class_oid: int) -> Mapping[int, str]:
        """The comments on the objects of one system catalog, by oid."""
        return self.comments.get(class_oid, {})

    def extension(self, class_oid: int, oid: int) -> str | None:
        """The name of the extension that owns an object, or ``None``."""
        return self.extensions.get((class_oid, oid))

    def column_objects(self, relation_oid: int, numbers: Sequence[int] | None) -> tuple[Column, ...]:
        """These columns; numbers of no known column are passed over."""
        if not numbers:
            return ()
        known = self.columns_by_number.get(relation_oid, {})
        return tuple([known[number] for number in numbers if number in known])

    def parse(self, items: Sequence[str] | None) -> Acl:
        """The grants in an access control list, sorted, so that the order in which they were given does not show."""
        if not items:
            return ()
        key = tuple(items)
        if (parsed := self._parsed.get(key)) is None:
            parsed = self._parsed[key] = tuple(sorted((_grant(item) for item in items), key=_grant_key))
        return parsed

    def acl(self, kind: str, owner: str, items: Sequence[str] | None) -> Acl | None:
        """The grants on an object of this kind (letter of acldefault); ``None`` when they are the default ones."""
        if items is None:
            return None
        parsed = self.parse(items)
        return None if parsed == self._default_acls.get((kind, owner)) else parsed


def _grant_key(grant: Grant) -> tuple[str, str, tuple[str, ...]]:
    return grant.grantee, grant.grantor, grant.privileges


def _grant(item: str) -> Grant:
    """One aclitem, ``grantee=letters/grantor``; an asterisk behind a letter is the grant option."""
    grantee, position = _role(item, 0)
    end = item.index("/", position + 1)
    letters = item[position + 1 : end]
    grantor, _ = _role(item, end + 1)
    privileges = [PRIVILEGES.get(letter, letter) for letter in letters if letter != "*"]
    grantable = [
        PRIVILEGES.get(letter, letter)
        for letter, following in zip(letters, letters[1:] + " ", strict=True)
        if letter != "*" and following == "*"
    ]
    return Grant(grantee, grantor, tuple(sorted(privileges)), tuple(sorted(grantable)))


def _role(item: str, position: int) -> tuple[str, int]:
    """A role's name in an aclitem (in double quotes unless it is plain), and the position behind it."""
    if item[position : position + 1] != '"':
        end = position
        while end < len(item) and item[end] not in "=/":
            end += 1
        return item[position:end], end
    pieces: list[str] = []
    position += 1
    while True:
        end = item.index('"', position)
        pieces.append(item[position:end])
        position = end + 1
        if item[position : position + 1] != '"':
            return "".join(pieces), position
        pieces.append('"')
        position += 1
