"""What the server calls a column that has no name of its own: of a query, and of an index over expressions.

Source: PostgreSQL's ``FigureColnameInternal`` (src/backend/parser/parse_target.c), the same in 14 to 18.
"""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]

_WORDS = {
    "GroupingFunc": "grouping",
    "MergeSupportFunc": "merge_action",
    "A_ArrayExpr": "array",
    "RowExpr": "row",
    "CoalesceExpr": "coalesce",
    "XmlSerialize": "xmlserialize",
    "JsonParseExpr": "json",
    "JsonScalarExpr": "json_scalar",
    "JsonSerializeExpr": "json_serialize",
    "JsonObjectConstructor": "json_object",
    "JsonArrayConstructor": "json_array",
    "JsonArrayQueryConstructor": "json_array",
    "JsonObjectAgg": "json_objectagg",
    "JsonArrayAgg": "json_arrayagg",
}
_SUBLINKS = {"EXISTS_SUBLINK": "exists", "ARRAY_SUBLINK": "array"}
_JSON_FUNCTIONS = {"JSON_EXISTS_OP": "json_exists", "JSON_QUERY_OP": "json_query", "JSON_VALUE_OP": "json_value"}
_XML = frozenset({"IS_XMLCONCAT", "IS_XMLELEMENT", "IS_XMLFOREST", "IS_XMLPARSE", "IS_XMLPI", "IS_XMLROOT"})


def figured_name(node: Node) -> str | None:
    """The name that an expression gives its column; ``None`` where it gives none."""
    return _figured(node)[0]


def _figured(node: Node) -> tuple[str | None, bool]:
    """The name, and whether it is more than a stopgap: that of a cast's type gives way to the name of what is cast."""
    ((kind, fields),) = node.items() if len(node) == 1 else (("", {}),)
    match kind:
        case "ColumnRef" | "FuncCall":
            name = _last(fields.get("fields" if kind == "ColumnRef" else "funcname", ()))
            return name, name is not None
        case "A_Indirection":
            name = next((one for part in reversed(fields.get("indirection", ())) if (one := _last([part]))), None)
            return (name, True) if name is not None else _figured(fields.get("arg", {}))
        case "A_Expr" if fields.get("kind") == "AEXPR_NULLIF":
            return "nullif", True
        case "TypeCast":
            name, strong = _figured(fields.get("arg", {}))
            return (name, True) if strong else (_last(fields.get("typeName", {}).get("names", ())) or name, False)
        case "CollateClause":
            return _figured(fields.get("arg", {}))
        case "CaseExpr":
            name, strong = _figured(fields.get("defresult", {}))
            return (name, True) if strong else ("case", False)
        case "SubLink":
            return _of_sublink(fields)
        case "MinMaxExpr":
            return ("greatest" if fields.get("op") == "IS_GREATEST" else "least"), True
        case "SQLValueFunction":
            return str(fields.get("op", "")).removeprefix("SVFOP_").removesuffix("_N").lower(), True
        case "XmlExpr" if fields.get("op") in _XML:
            return str(fields["op"]).removeprefix("IS_").lower(), True
        case "JsonFuncExpr":
            return _JSON_FUNCTIONS.get(str(fields.get("op"))), True
    name = _WORDS.get(kind)
    return name, name is not None


def _of_sublink(fields: Node) -> tuple[str | None, bool]:
    kind = fields.get("subLinkType", "EXISTS_SUBLINK")
    if kind in _SUBLINKS:
        return _SUBLINKS[kind], True
    targets = fields.get("subselect", {}).get("SelectStmt", {}).get("targetList", ())
    if kind != "EXPR_SUBLINK" or not targets:
        return None, False
    result = targets[0].get("ResTarget", {})
    return (result["name"], True) if "name" in result else _figured(result.get("val", {}))


def _last(parts: Any) -> str | None:
    texts = [part["String"].get("sval", "") for part in parts if "String" in part]
    return texts[-1] if texts else None
