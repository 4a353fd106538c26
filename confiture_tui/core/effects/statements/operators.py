"""Operators, their classes and families, casts, transforms, conversions, access methods and languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_PROC, ObjectAddress
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.effects.operator_classes import accepts
from confiture_tui.core.effects.statements.creation import new_place
from confiture_tui.core.effects.statements.definitions import names_in, type_text
from confiture_tui.core.effects.statements.made_objects import addresses, is_there, make
from confiture_tui.core.effects.statements.named_objects import find_named
from confiture_tui.core.effects.statements.needs import note_type
from confiture_tui.core.effects.statements.options import find_option
from confiture_tui.core.effects.statements.routine_names import find_routine
from confiture_tui.core.effects.type_names import base_type, parse_type, user_type
from confiture_tui.core.effects.types_known import require_type
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_ALTERED = frozenset({"restrict", "join", "commutator", "negator", "hashes", "merges"})
_FIXED = frozenset({"leftarg", "rightarg", "function", "procedure"})


def read_create_cast(node: Node, step: Step) -> None:
    """CREATE CAST"""
    for side in ("sourcetype", "targettype"):
        require_type(step, node[side])
    schema = step.now
    source, target = (parse_type(type_text(node[side], schema)).bare for side in ("sourcetype", "targettype"))
    found = find_routine(node["func"], "OBJECT_FUNCTION", step) if "func" in node else None
    if found is not None:
        _refuse_cast_function(step, found, source, target)
    elif "func" not in node and not node.get("inout"):
        _refuse_binary(step, source, target)
    if (source, target) in _builtin_casts(step):
        step.refuse("42710", f"cast from type {source} to type {target} already exists")
    properties = {
        "context": {"COERCION_IMPLICIT": "i", "COERCION_ASSIGNMENT": "a"}.get(str(node.get("context")), "e"),
        "method": "i" if node.get("inout") else "f" if "func" in node else "b",
        "function": found.signature if found is not None else None,
    }
    needs = [ObjectAddress(PG_PROC, found.oid)] if found is not None else []
    made = make(step, "cast", f"({source} AS {target})", needs=needs, properties=properties)
    if made is not None:
        for side in ("sourcetype", "targettype"):
            note_type(step, ObjectAddress(made.class_oid, made.oid), node[side])


def _builtin_casts(step: Step) -> set[tuple[str, str]]:
    return set(builtins_of(step.schema.server_version_num).casts) if step.schema.known else set()


def _refuse_cast_function(step: Step, found: Routine, source: str, target: str) -> None:
    arguments = [parse_type(one.strip()).bare for one in found.argument_types.split(",")]
    if step.schema.known and arguments[0] and not accepts(step.now, source, arguments[0]):
        step.refuse("42P17", "argument of cast function must match or be binary-coercible from source data type")
    result = parse_type(found.result).bare if found.result else ""
    if step.schema.known and result and not accepts(step.now, result, target):
        step.refuse("42P17", "return data type of cast function must match or be binary-coercible to target data type")


def _refuse_binary(step: Step, source: str, target: str) -> None:
    if source == target:
        step.refuse("42P17", "source data type and target data type are the same")
    for name in (source, target):
        found = user_type(base_type(name, step.now), step.now)
        if name.endswith("[]") or (found is not None and found.kind in (TypeKind.COMPOSITE, TypeKind.ENUM)):
            step.may_fail("42P17", "arrays, enums and rows are not binary-compatible")
    step.may_fail("42P17", "source and target data types may not be physically compatible")


def read_define_operator(node: Node, step: Step) -> None:
    """CREATE OPERATOR"""
    parts = names_in(node, "defnames")
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    sides = [find_option(node, side, field="definition") for side in ("leftarg", "rightarg")]
    types = [
        type_text(one["arg"]["TypeName"], step.now) if one and "TypeName" in one["arg"] else "NONE" for one in sides
    ]
    for one in sides:
        if one is not None and "TypeName" in one["arg"]:
            if one["arg"]["TypeName"].get("setof"):
                step.refuse("42P13", "SETOF type not allowed for operator argument")
            require_type(step, one["arg"]["TypeName"])
    function = find_option(node, "function", field="definition") or find_option(node, "procedure", "definition")
    if function is None:
        step.refuse("42P13", "operator function must be specified")
    if types[1] == "NONE":
        step.refuse("42P13", "operator right argument type must be specified")
    _require_function(step, function.get("arg", {}), tuple(one for one in types if one != "NONE"))
    for name in ("restrict", "join"):
        estimator = find_option(node, name, field="definition")
        if estimator is not None:
            _require_function(step, estimator.get("arg", {}), None)
    if find_option(node, "hashes", "definition") or find_option(node, "merges", "definition"):
        step.may_fail(
            "42P13", "only operators that are compared with two sides, and give a truth value, can hash or merge"
        )
    identity = f"{quote_identifier(schema)}.{parts[-1]}({types[0]}, {types[1]})"
    if is_there(step.now.other("operator", identity)):
        step.refuse("42723", f"operator {parts[-1]} already exists")
    routine = _function_of(step, function, types)
    made = make(
        step,
        "operator",
        identity,
        schema=schema,
        needs=[ObjectAddress(PG_PROC, routine.oid)] if routine is not None else [],
        properties={"function": routine.signature, "result": routine.result} if routine is not None else {},
    )
    if made is not None:
        for one in sides:
            if one is not None and "TypeName" in one["arg"]:
                note_type(step, ObjectAddress(made.class_oid, made.oid), one["arg"]["TypeName"])


def _function_of(step: Step, option: Node, types: list[str]) -> Routine | None:
    """The user's function that an operator calls, if it is known."""
    names = list(names_in(option.get("arg", {}).get("TypeName", {}), "names"))
    wanted = ", ".join(one for one in types if one != "NONE")
    found = step.now.routines(names) if names else ()
    return next((one for one in found if one.argument_types == wanted), None)


def _require_function(step: Step, name: Node, types: tuple[str, ...] | None) -> None:
    """See that a function is there, be it one of PostgreSQL's own; ``types``: of its arguments, where known."""
    if not step.schema.known or step.schema.extension_made:
        return
    parts = names_in(name.get("TypeName", {}), "names") or names_in(name.get("List", {}), "items")
    if not parts:
        return
    bare = None if types is None else [parse_type(one).bare for one in types]
    users = step.now.routines(list(parts))
    own = builtins_of(step.schema.server_version_num).functions(parts[-1])
    if not users and not own:
        if parts[-1].startswith(
            ("eq", "neq", "scalar", "area", "pos", "cont", "ts", "arr", "range", "net", "match", "like")
        ):
            step.may_fail("42883", f"function {parts[-1]} may not exist")  # estimators, which are not listed here
            return
        step.refuse("42883", f"function {'.'.join(parts)} does not exist")
    if (
        bare is not None
        and not any([parse_type(one.strip()).bare for one in each.argument_types.split(",")] == bare for each in users)
        and not any(list(each.arguments) == bare for each in own)
    ):
        step.may_fail("42883", f"function {'.'.join(parts)}({', '.join(bare)}) does not exist")


def read_alter_operator(node: Node, step: Step) -> None:
    """ALTER OPERATOR … SET"""
    if not step.schema.known:
        return
    find_named("OBJECT_OPERATOR", {"ObjectWithArgs": node.get("opername", {})}, step)
    for one in node.get("options", ()):
        name = one["DefElem"].get("defname")
        if name in _FIXED:
            step.refuse("42601", f'operator attribute "{name}" cannot be changed')
        if name not in _ALTERED:
            step.refuse("42601", f'operator attribute "{name}" not recognized')
        if name in ("restrict", "join"):
            _require_function(step, one["DefElem"].get("arg", {}), None)
        elif name in ("hashes", "merges", "commutator", "negator"):
            step.may_fail("42P17", "what is set already cannot be set again")


def read_create_operator_class(node: Node, step: Step) -> None:
    """CREATE OPERATOR FAMILY and CLASS"""
    method = str(node.get("amname"))
    if step.schema.known:
        find_named("OBJECT_ACCESS_METHOD", {"String": {"sval": method}}, step)
    field, kind = ("opfamilyname", "operator family")
    if "opclassname" in node:
        field, kind = ("opclassname", "operator class")
        require_type(step, node["datatype"])
        if "opfamilyname" in node:
            _find_family(step, names_in(node, "opfamilyname"), method)
        _note_items(step)
        if node.get("isDefault"):
            step.may_fail("42710", "the type may have a default operator class already")
    parts = names_in(node, field)
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    identity = f"{qualified_name(schema, parts[-1])} USING {quote_identifier(method)}"
    if kind == "operator family":
        make(step, kind, identity, schema=schema)
    else:
        _make_class(step, node, schema, parts[-1], identity)


def _make_class(step: Step, node: Node, schema: str, name: str, identity: str) -> None:
    properties = {
        "type": type_text(node["datatype"], step.now),
        "default": "true" if node.get("isDefault") else "false",
    }
    made = make(step, "operator class", identity, schema=schema, properties=properties)
    if made is None:
        return
    address = ObjectAddress(made.class_oid, made.oid)
    note_type(step, address, node["datatype"])
    names = names_in(node, "opfamilyname")
    places = (names[-2:-1] or step.now.path) if names else (schema,)
    method = f" USING {quote_identifier(str(node.get('amname')))}"
    families = [qualified_name(place, names[-1] if names else name) + method for place in places]
    family = next((one for each in families for one in addresses(step, "operator family", each)), None)
    if family is None and not names:
        # A class without a family gets one of its own name.
        whole = make(step, "operator family", identity, schema=schema)
        family = ObjectAddress(whole.class_oid, whole.oid) if whole is not None else None
    if family is not None:
        step.change.depend(address, family, "a")


def _find_family(step: Step, parts: tuple[str, ...], method: str) -> None:
    names = [{"String": {"sval": one}} for one in (method, *parts)]
    if step.schema.known:
        find_named("OBJECT_OPFAMILY", {"List": {"items": names}}, step)


def _note_items(step: Step) -> None:
    step.may_fail("42P17", "the method may not take such a number, function or storage")
    step.may_fail("42883", "an operator or function may not exist")


def read_alter_operator_family(node: Node, step: Step) -> None:
    """ALTER OPERATOR FAMILY … ADD or DROP"""
    _find_family(step, names_in(node, "opfamilyname"), str(node.get("amname")))
    if node.get("isDrop"):
        step.may_fail("42704", "the family may not have it")
        step.may_fail("2BP01", "an operator class may need it")
    else:
        step.may_fail("42710", "the family may have it already")
        _note_items(step)


def read_create_transform(node: Node, step: Step) -> None:
    """CREATE TRANSFORM"""
    require_type(step, node["type_name"])
    language = quote_identifier(str(node.get("lang")))
    if step.schema.known:
        find_named("OBJECT_LANGUAGE", {"String": {"sval": str(node.get("lang"))}}, step)
    for field in ("fromsql", "tosql"):
        found = find_routine(node[field], "OBJECT_FUNCTION", step) if field in node else None
        if found is not None and found.result not in ("internal", None) and field == "fromsql":
            step.refuse("42P17", "return data type of FROM SQL function must be internal")
    step.may_fail("42P17", "its functions may not be of the types that are wanted")
    identity = f"FOR {type_text(node['type_name'], step.now)} LANGUAGE {language}"
    make(step, "transform", identity, replaces=bool(node.get("replace")))


def read_create_conversion(node: Node, step: Step) -> None:
    """CREATE CONVERSION"""
    parts = names_in(node, "conversion_name")
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    step.may_fail("42704", "an encoding may not exist")
    step.may_fail("42883", "the function may not exist, or take other arguments")
    step.may_fail("42710", "there may be a default conversion already")
    make(step, "conversion", qualified_name(schema, parts[-1]), schema=schema)


def read_create_access_method(node: Node, step: Step) -> None:
    """CREATE ACCESS METHOD"""
    name = quote_identifier(str(node["amname"]))
    own = name in ("heap", "btree", "hash", "gist", "gin", "spgist", "brin")
    step.may_fail("42883", "the handler may not exist")
    step.may_fail("42809", "the handler may be one of the other type")
    if own:
        step.refuse("42710", f'access method "{name}" already exists')
    make(step, "access method", name)


def read_create_language(node: Node, step: Step) -> None:
    """CREATE LANGUAGE: without a handler it is CREATE EXTENSION by another name."""
    name = str(node["plname"])
    if name == "plpgsql" and not node.get("replace"):
        step.refuse("42710", 'extension "plpgsql" already exists')
    if "plhandler" not in node:
        if name != "plpgsql":
            step.may_fail("58P01" if step.schema.server_version_num < 150000 else "0A000", "it may not be installed")
    else:
        step.may_fail("42883", "the handler may not exist")
        step.may_fail("42809", "the handler may be no such function")
    make(step, "language", quote_identifier(name), replaces=bool(node.get("replace")))
