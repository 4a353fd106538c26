"""Text search configurations and dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.statements.creation import new_place
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.made_objects import make
from confiture_tui.core.effects.statements.named_objects import KIND_WORDS, find_named
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_TOKEN_WORDS = (
    "asciiword word numword email url host sfloat version hword_numpart hword_part hword_asciipart blank tag protocol"
    " numhword asciihword hword url_path file float int uint entity"
)
_TOKENS = frozenset(_TOKEN_WORDS.split())
"""The token types of the parser ``default`` (documentation, 12.5 "Parsers")."""


def read_create_text_search(node: Node, step: Step) -> None:
    """CREATE TEXT SEARCH CONFIGURATION, DICTIONARY, PARSER and TEMPLATE"""
    kind = str(node.get("kind"))
    parts = names_in(node, "defnames")
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    given = {str(one["DefElem"]["defname"]): one["DefElem"].get("arg") for one in node.get("definition", ())}
    if kind == "OBJECT_TSCONFIGURATION":
        _refuse_configuration(step, given)
    elif kind == "OBJECT_TSDICTIONARY":
        _refuse_dictionary(step, given)
    else:
        step.may_fail("42883", "the functions that it names may not exist, or not be of the type that is wanted")
    make(step, KIND_WORDS[kind], qualified_name(schema, parts[-1]), schema=schema, sqlstate="23505")


def _refuse_configuration(step: Step, given: dict[str, Node | None]) -> None:
    for name in given:
        if name not in ("parser", "copy"):
            step.refuse("42601", f'text search configuration parameter "{name}" not recognized')
    if len(given) > 1:
        step.refuse("42601", "cannot specify both PARSER and COPY options")
    for name, kind in (("parser", "OBJECT_TSPARSER"), ("copy", "OBJECT_TSCONFIGURATION")):
        if name in given:
            _require(step, kind, given[name])


def _refuse_dictionary(step: Step, given: dict[str, Node | None]) -> None:
    if "template" not in given:
        step.refuse("42P17", "text search template is required")
    _require(step, "OBJECT_TSTEMPLATE", given["template"])
    _note_options(step, len(given) > 1)


def _note_options(step: Step, has_options: bool) -> None:
    """What a template makes of its options is its own code's business."""
    step.may_fail("22023", "the template may not know an option, or want one that is not given")
    if has_options:
        step.may_fail("F0000", "a file that an option names may not be there")
        step.may_fail("42704", "a language that an option names may not be known")


def _require(step: Step, kind: str, name: Node | None) -> None:
    if step.schema.known and name is not None and ("TypeName" in name or "String" in name):
        find_named(kind, name, step)


def read_alter_text_search(node: Node, step: Step) -> None:
    """ALTER TEXT SEARCH DICTIONARY and CONFIGURATION: touches no table."""
    field, kind = ("dictname", "OBJECT_TSDICTIONARY") if "dictname" in node else ("cfgname", "OBJECT_TSCONFIGURATION")
    if not step.schema.known:
        return
    find_named(kind, {"List": {"items": node.get(field, [])}}, step)
    if kind == "OBJECT_TSDICTIONARY":
        _note_options(step, has_options=True)
        return
    for token in names_in(node, "tokentype"):
        if token not in _TOKENS:
            step.may_fail("22023", f'token type "{token}" does not exist')
    if node.get("kind") == "ALTER_TSCONFIG_ADD_MAPPING":
        step.may_fail("23505", "there may be a mapping of the token type already")
    if node.get("kind") == "ALTER_TSCONFIG_DROP_MAPPING" and not node.get("missing_ok"):
        step.may_fail("42704", "there may be no mapping of the token type")
    for one in node.get("dicts", ()):
        find_named("OBJECT_TSDICTIONARY", one, step)
