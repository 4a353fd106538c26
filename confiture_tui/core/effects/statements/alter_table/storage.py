"""How a table is stored: persistence, tablespace, access method, parameters, statistics, CLUSTER ON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.queries.published import is_listed
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Pass, Reason
from confiture_tui.core.effects.statements.definitions import blank_column
from confiture_tui.core.effects.statements.foreign_data import note_options
from confiture_tui.core.effects.statements.parameters import refuse_parameter, refuse_value
from confiture_tui.core.effects.type_names import parse_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_DEFAULT_TABLESPACE = "pg_default"
_REFUSED_ON_PARTITIONED = 180000
"""The version from which SET LOGGED and UNLOGGED are refused there; before they do nothing."""
_PARTITIONED_HAVE_NO_PARAMETERS = 160000
"""The version from which that is a refusal of its own; before the parameter is not recognized."""
_ALWAYS_PLAIN = frozenset(
    {
        "smallint",
        "integer",
        "bigint",
        "real",
        "double precision",
        "boolean",
        "date",
        "time without time zone",
        "time with time zone",
        "timestamp without time zone",
        "timestamp with time zone",
        "interval",
        "uuid",
        "money",
        "oid",
        "name",
    }
)
# Types of fixed length, which have no TOAST storage (``pg_type.typstorage`` = p).


_STORAGES = frozenset({"plain", "external", "extended", "main", "default"})
_COMPRESSIONS = frozenset({"pglz", "lz4", "default"})
_COLUMN_OPTIONS = frozenset({"n_distinct", "n_distinct_inherited"})


def prepare_persistence(alteration: Alteration, relation: Relation, command: Node) -> None:
    """SET LOGGED and SET UNLOGGED."""
    step = alteration.step
    altered = alteration.table(relation)
    if relation.kind is RelationKind.PARTITIONED_TABLE:
        if step.schema.server_version_num >= _REFUSED_ON_PARTITIONED:
            step.refuse("42809", f'ALTER action cannot be performed on relation "{relation.name}"')
        unlogged = command["subtype"] == "AT_SetUnLogged"
        _refuse_by_foreign_keys(alteration, relation, Persistence.UNLOGGED if unlogged else Persistence.PERMANENT)
        return
    if altered.persistence is not None:
        step.refuse("0A000", "cannot change persistence setting twice")
    wanted = Persistence.PERMANENT if command["subtype"] == "AT_SetLogged" else Persistence.UNLOGGED
    if relation.persistence is Persistence.TEMPORARY:
        step.refuse("42P16", f'cannot change logged status of table "{relation.name}" because it is temporary')
    if relation.persistence is wanted and not alteration.partial(relation):
        return
    if wanted is Persistence.UNLOGGED and is_listed(step, relation):
        step.refuse("55000", f'cannot change table "{relation.name}" to unlogged because it is part of a publication')
    _refuse_by_foreign_keys(alteration, relation, wanted)
    altered.persistence = wanted
    alteration.rewrite(altered, f"the table becomes {wanted.value}: all of it is written anew")
    if alteration.partial(relation):
        step.unknown_reach(f"the sequences of {relation.qualified_name} are not known")
    alteration.queue(
        relation,
        Pass.MISCELLANEOUS,
        lambda one: _updated(alteration, one, persistence=wanted),
    )


def _refuse_by_foreign_keys(alteration: Alteration, relation: Relation, wanted: Persistence) -> None:
    step = alteration.step
    if wanted is Persistence.PERMANENT:
        for constraint in relation.constraints:
            other = alteration.schema.by_oid(constraint.referenced_oid) if constraint.referenced_oid else None
            unlogged = isinstance(other, Relation) and other.persistence is not Persistence.PERMANENT
            if unlogged and isinstance(other, Relation) and other.oid != relation.oid:
                step.refuse(
                    "42P16",
                    f'could not change table "{relation.name}" to logged because it references unlogged table '
                    f'"{other.name}"',
                )
        return
    for other, _constraint in alteration.schema.referencing(relation):
        if other.oid != relation.oid and other.persistence is Persistence.PERMANENT:
            step.refuse(
                "42P16",
                f'could not change table "{relation.name}" to unlogged because it is referenced by logged table '
                f'"{other.name}"',
            )


def prepare_tablespace(alteration: Alteration, relation: Relation, command: Node) -> None:
    """SET TABLESPACE: the file is copied, block by block; indexes stay where they are."""
    altered = alteration.table(relation)
    if command["name"] == "pg_global":
        alteration.step.refuse("22023", "only shared relations can be placed in pg_global tablespace")
    if command["name"] not in (_DEFAULT_TABLESPACE, relation.tablespace):
        alteration.step.may_fail("42704", f'tablespace "{command["name"]}" may not exist')
    wanted = None if command["name"] == _DEFAULT_TABLESPACE else command["name"]
    if altered.tablespace is not None:
        alteration.step.refuse("42601", "cannot have multiple SET TABLESPACE subcommands")
    if relation.tablespace == wanted and not alteration.partial(relation):
        return
    if relation.kind in STORED:
        altered.tablespace = Reason(f"the table's file is copied to {command['name']}", alteration.step.command)
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _updated(alteration, one, tablespace=wanted))


def prepare_access_method(alteration: Alteration, relation: Relation, command: Node) -> None:
    """SET ACCESS METHOD, which servers know from 15 on."""
    step = alteration.step
    version = step.schema.server_version_num
    if step.schema.known and version < 150000:
        step.refuse("42601", 'syntax error at or near "ACCESS"')
    if relation.kind is RelationKind.PARTITIONED_TABLE and version < 170000:
        step.refuse("42809", f'ALTER action SET ACCESS METHOD cannot be performed on relation "{relation.name}"')
    wanted = command.get("name")
    if wanted is None:
        wanted = "heap"
    if relation.access_method == wanted and not alteration.partial(relation):
        return
    if relation.kind in STORED:
        alteration.rewrite(alteration.table(relation), f"the table is written anew by the access method {wanted}")
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _updated(alteration, one, access_method=wanted))


def _updated(alteration: Alteration, altered: Altered, **changes: Any) -> None:
    alteration.update(alteration.relation(altered), **changes)


def prepare_parameters(alteration: Alteration, relation: Relation, command: Node) -> None:
    """SET and RESET of storage parameters."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _parameters(alteration, one, command))


def _parameters(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    kept = dict(one.partition("=")[::2] for one in relation.options)
    for one in command.get("def", {}).get("List", {}).get("items", ()):
        element = one["DefElem"]
        name = element.get("defname", "")
        if not alteration.partial(relation):
            refuse_parameter(step, element, relation.kind.value, resets=command["subtype"] == "AT_ResetRelOptions")
        if name == "oids" and command["subtype"] == "AT_SetRelOptions":
            step.refuse("0A000", "tables declared WITH OIDS are not supported")
        if "defnamespace" in element:
            name = f"{element['defnamespace']}.{name}"
        if command["subtype"] == "AT_ResetRelOptions":
            kept.pop(name, None)
        else:
            kept[name] = option_text(element.get("arg"))
    if relation.kind is RelationKind.PARTITIONED_TABLE and kept:
        older = step.schema.server_version_num < _PARTITIONED_HAVE_NO_PARAMETERS
        step.refuse("22023" if older else "42809", "cannot specify storage parameters for a partitioned table")
    alteration.update(relation, options=tuple(f"{name}={value}" for name, value in kept.items()))


def option_text(argument: Node | None) -> str:
    """The value of an option as it is kept."""
    if argument is None:
        return "true"
    ((kind, fields),) = argument.items()
    match kind:
        case "Integer":
            return str(fields.get("ival", 0))
        case "Float":
            return str(fields.get("fval", "0"))
        case "String":
            return str(fields.get("sval", ""))
        case "Boolean":
            return "true" if fields.get("boolval") else "false"
        case "TypeName":
            return str(fields["names"][-1]["String"].get("sval", ""))
    return ""


def prepare_statistics(alteration: Alteration, relation: Relation, command: Node) -> None:
    """ALTER COLUMN … SET STATISTICS and SET STORAGE, which recurse."""
    for one in (relation, *(alteration.descendants(relation, "it goes to the children") if alteration.recurse else ())):
        alteration.queue(one, Pass.MISCELLANEOUS, lambda altered: _column_exists(alteration, altered, command))


def prepare_foreign_options(alteration: Alteration, _relation: Relation, command: Node) -> None:
    """OPTIONS of a foreign table, which its wrapper judges."""
    note_options(alteration.step, {"options": command.get("def", {}).get("List", {}).get("items", [])})


def prepare_column_options(alteration: Alteration, relation: Relation, command: Node) -> None:
    """ALTER COLUMN … SET (…), RESET (…), SET COMPRESSION, OPTIONS, which do not."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda altered: _column_exists(alteration, altered, command))


def _column_exists(alteration: Alteration, altered: Altered, command: Node) -> None:
    relation = alteration.relation(altered)
    if "name" not in command:
        alteration.step.refuse("0A000", "cannot refer to non-index column by number")
    column = alteration.column(relation, command["name"])
    _refuse_setting(alteration.step, command)
    wanted = command.get("def", {}).get("String", {}).get("sval", "").lower()
    if column is not None and wanted not in ("plain", "default") and parse_type(column.type).bare in _ALWAYS_PLAIN:
        if command["subtype"] == "AT_SetCompression":
            alteration.step.refuse("0A000", f"column data type {column.type} does not support compression")
        if command["subtype"] == "AT_SetStorage":
            alteration.step.refuse("0A000", f"column data type {column.type} can only have storage PLAIN")
    if wanted == "lz4":
        alteration.step.may_fail("0A000", "the server may have been built without lz4")
    if column is None:
        alteration.update_column(relation, blank_column(relation.qualified_name, command["name"], 0))


def _refuse_setting(step: Step, command: Node) -> None:
    """What cannot be set of any column."""
    value: Node = command.get("def", {})
    text = value.get("String", {}).get("sval", "")
    match command["subtype"]:
        case "AT_SetStatistics" if value.get("Integer", {}).get("ival", 0) < -1:
            step.refuse("22023", f"statistics target {value['Integer']['ival']} is too low")
        case "AT_SetStorage" if text.lower() not in _STORAGES:
            step.refuse("22023", f'invalid storage type "{text}"')
        case "AT_SetCompression" if text not in _COMPRESSIONS:
            step.refuse("22023", f'invalid compression method "{text}"')
        case "AT_SetOptions":
            for one in value.get("List", {}).get("items", ()):
                name = one["DefElem"].get("defname", "")
                if name not in _COLUMN_OPTIONS:
                    step.refuse("22023", f'unrecognized parameter "{name}"')
                refuse_value(step, one["DefElem"])


def prepare_cluster(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue CLUSTER ON and SET WITHOUT CLUSTER."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _cluster(alteration, one, command))


def _cluster(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    if relation.kind is RelationKind.PARTITIONED_TABLE:
        step.refuse("0A000", "cannot mark index clustered in partitioned table")
    name = command.get("name")
    known = any(index.name == name for index in relation.indexes)
    if name is not None and not known and not alteration.partial(relation):
        step.refuse("42704", f'index "{name}" for table "{relation.name}" does not exist')
    index = next((one for one in relation.indexes if one.name == name), None)
    if index is None:
        if name is None:
            _mark_clustered(alteration, relation, None)
        return
    if index.access_method not in ("btree", "gist"):
        step.refuse("0A000", f'cannot cluster on index "{name}" because access method does not support clustering')
    if index.predicate is not None:
        step.refuse("0A000", f'cannot cluster on partial index "{name}"')
    if not index.valid:
        step.refuse("0A000", f'cannot cluster on invalid index "{name}"')
    _mark_clustered(alteration, relation, name)


def _mark_clustered(alteration: Alteration, relation: Relation, name: str | None) -> None:
    """At most one index is what the table was clustered by."""
    marked = tuple(replace(one, clustered=one.name == name) for one in relation.indexes)
    alteration.update(relation, indexes=marked)
