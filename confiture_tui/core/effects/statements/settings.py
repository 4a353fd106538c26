"""SET, SET LOCAL, RESET, and SET TRANSACTION."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.setting_names import OF_THE_SERVER, is_unknown
from confiture_tui.core.effects.setting_values import Taken, is_superusers, takes
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

_LISTS = frozenset({"search_path", "temp_tablespaces", "session_preload_libraries", "datestyle"})

_GRANTED_SINCE = 15
"""From this major version on a role may be granted a superuser's settings."""
_NAMING = frozenset({"VAR_SET_VALUE", "VAR_SET_DEFAULT", "VAR_RESET"})


def read_set(node: dict[str, Any], step: Step) -> None:
    """SET and RESET: touch no relation, change what later statements mean."""
    kind = node.get("kind")
    name = str(node.get("name", "")).lower()
    require_setting(step, node)
    if kind == "VAR_SET_MULTI" and name == "transaction":
        step.may_fail("25001", "a transaction's isolation is set before its first query")
    if kind == "VAR_SET_VALUE" and name in ("role", "session_authorization"):
        step.may_fail("22023", "the role may not exist")
    match kind:
        case "VAR_RESET_ALL":
            step.session.reset(None)
        case "VAR_RESET" | "VAR_SET_DEFAULT":
            step.session.reset(name)
        case "VAR_SET_VALUE":
            step.session.set(name, setting_text(name, node.get("args", [])), local=bool(node.get("is_local")))
        case "VAR_SET_MULTI" if name == "transaction":
            _set_transaction(node, step)
        case _:
            pass  # SET … FROM CURRENT


def _set_transaction(node: dict[str, Any], step: Step) -> None:
    """SET TRANSACTION: the isolation cannot be another one once the transaction has looked at anything."""
    options = {one.get("DefElem", {}).get("defname") for one in node.get("args", ())}
    if "transaction_isolation" in options and step.session.looked:
        step.may_fail("25001", "SET TRANSACTION ISOLATION LEVEL must be called before any query")


def require_setting(step: Step, node: dict[str, Any]) -> None:
    """See that a session has the setting that a SET, be it of a function, names.

    Raises:
        Refused: it has not.
    """
    if node.get("kind") not in _NAMING:
        return
    name = str(node.get("name", "")).lower()
    if is_unknown(name, major_of(step)):
        step.refuse("42704", f'unrecognized configuration parameter "{name}"')
    if name in OF_THE_SERVER:
        step.refuse("55P02", f'parameter "{name}" cannot be changed now')
    if node.get("kind") == "VAR_SET_VALUE":
        require_value(step, name, setting_text(name, node.get("args", [])))


def require_value(step: Step, name: str, value: str) -> None:
    """See that a setting takes a value, and that the role may give it.

    Raises:
        Refused: it does not.
    """
    major, catalog = major_of(step), step.schema.catalog
    if is_superusers(name, major) and catalog is not None and not catalog.session.is_superuser:
        message = f'permission denied to set parameter "{name}"'
        if major is not None and major < _GRANTED_SINCE:
            step.refuse("42501", message)
        step.may_fail("42501", message)
    taken = takes(name, value, major)
    if taken is Taken.NO:
        step.refuse("22023", f'invalid value for parameter "{name}": "{value}"')
    if taken is Taken.PERHAPS:
        step.may_fail("42704" if name == "temp_tablespaces" else "22023", f'"{name}" may not take "{value}"')


def major_of(step: Step) -> int | None:
    """The server's major version; ``None`` without a catalog."""
    return step.schema.server_version_num // 10000 if step.schema.known else None


def setting_text(name: str, arguments: list[dict[str, Any]]) -> str:
    """The value of a SET as text; of a list of names, in the form that the setting's text has."""
    texts = [_argument(one) for one in arguments]
    if name in _LISTS:
        texts = [text if text == "" else quote_identifier(text) for text in texts]
    return ", ".join(texts)


def _argument(argument: dict[str, Any]) -> str:
    if "TypeCast" in argument:  # SET TIME ZONE INTERVAL '1' HOUR
        return _argument(argument["TypeCast"].get("arg", {}))
    constant = argument.get("A_Const", {})
    if "sval" in constant:
        return str(constant["sval"].get("sval", ""))
    if "ival" in constant:
        return str(constant["ival"].get("ival", 0))
    if "fval" in constant:
        return str(constant["fval"].get("fval", ""))
    if "boolval" in constant:
        return "on" if constant["boolval"].get("boolval") else "off"
    return ""


_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}
_DURATION = re.compile(r"\s*([+-]?\d+(?:\.\d*)?|\.\d+)\s*(us|ms|s|min|h|d)?\s*\Z")


def milliseconds(text: str | None) -> float | None:
    """A time setting's text in milliseconds, its unit when it names none; ``None`` for no text, or no time.

    Source: PostgreSQL documentation, 19.1.1 "Parameter Names and Values".
    """
    if text is None or (found := _DURATION.match(text)) is None:
        return None
    return float(found.group(1)) * _UNITS[found.group(2) or "ms"]
