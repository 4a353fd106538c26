"""New columns, filled and constrained in steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.object_names import object_name
from confiture_tui.core.effects.type_names import SERIALS, type_of_node, user_type
from confiture_tui.core.risk.advice.backfill import in_batches
from confiture_tui.core.risk.advice.constraints import check_steps, foreign_key_steps, not_null_steps, unique_steps
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.source import with_columns
from confiture_tui.core.risk.advice.subject import Subject, literal
from confiture_tui.core.risk.advice.sync import keep_by_trigger
from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.risk.advice.source import ColumnText, Node
    from confiture_tui.core.risk.rules.command import Command

_LATER = frozenset({"CONSTR_CHECK", "CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_FOREIGN"})
VALUE = "NULL /* put the value for the rows that are there here */"
"""Where only the user knows what a row is to hold. Left as it is, the next step refuses to go on."""


def volatile_default(command: Command) -> str | None:
    """Column, default for new rows, existing rows in batches."""
    subject, parts = _parts(command)
    default = None if parts is None else _text_of(parts, "CONSTR_DEFAULT")
    if parts is None or default is None:
        return None
    recipe = Recipe().brief(
        "The column, and the default for new rows.",
        f"ALTER TABLE {subject.table} ADD COLUMN {_definition(parts, without=_DEFAULTED)}",
        f"ALTER TABLE {subject.table} ALTER COLUMN {parts.name} SET {default}",
    )
    return _finish(_fill(recipe, subject, parts.name, "DEFAULT"), subject, parts, fills=True)


def auto_increment(command: Command) -> str | None:
    """Column, sequence, default for new rows, existing rows in batches, NOT NULL, identity."""
    subject, parts = _parts(command)
    if parts is None:
        return None
    if (default := _text_of(parts, "CONSTR_DEFAULT")) is not None:
        recipe = Recipe().brief(
            "The column, and the default for new rows.",
            f"ALTER TABLE {subject.table} ADD COLUMN {_definition(parts, without=_DEFAULTED)}",
            f"ALTER TABLE {subject.table} ALTER COLUMN {parts.name} SET {default}",
        )
        return _finish(_fill(recipe, subject, parts.name, "DEFAULT"), subject, parts, fills=True)
    identity = _text_of(parts, "CONSTR_IDENTITY")
    written = strings(command.column.get("typeName", {}).get("names", ()))[-1]
    base = SERIALS.get(written, parts.type) if identity is None else parts.type
    label = "numbers" if identity is not None else "seq"
    sequence = f"{subject.schema}.{quote_identifier(object_name(subject.bare, subject.column, label))}"
    of_type = "" if base == "bigint" or identity is not None else f" AS {base}"
    recipe = Recipe().brief(
        "The column, its sequence, and the default for new rows.",
        f"ALTER TABLE {subject.table} ADD COLUMN {parts.name} {base}",
        f"CREATE SEQUENCE {sequence}{of_type} OWNED BY {subject.table}.{parts.name}",
        f"ALTER TABLE {subject.table} ALTER COLUMN {parts.name} SET DEFAULT nextval({literal(sequence)})",
    )
    _fill(recipe, subject, parts.name, "DEFAULT")
    not_null_steps(recipe, subject, subject.column)
    if identity is not None:
        kind = identity[identity.upper().index("GENERATED") :]
        recipe.brief(
            "Makes it an identity column that goes on from the last number.",
            f"ALTER TABLE {subject.table} ALTER COLUMN {parts.name} DROP DEFAULT",
            f"ALTER TABLE {subject.table} ALTER COLUMN {parts.name} ADD {kind}",
            f"SELECT setval(pg_get_serial_sequence({literal(subject.table)}, {literal(subject.column)}), last_value) "
            f"FROM {sequence}",
            f"DROP SEQUENCE {sequence}",
        )
    return _finish(recipe, subject, parts, fills=True, required=False)


def stored_generated(command: Command) -> str | None:
    """A plain column, kept by a trigger and filled in batches: another schema, the same values."""
    subject, parts = _parts(command)
    node = _node_of(parts, "CONSTR_GENERATED") if parts is not None else None
    if parts is None or node is None:
        return None
    expression = _bracketed(_text_of(parts, "CONSTR_GENERATED") or "")
    kept = None if expression is None else keep_by_trigger(subject, parts.name, expression)
    if kept is None or expression is None:
        return None
    recipe = Recipe().note("The column is a plain one: a trigger keeps it, so that readers find the same values.")
    recipe.brief(
        "The column, and the trigger that computes it for new and changed rows.",
        f"ALTER TABLE {subject.table} ADD COLUMN {_definition(parts, without=_LATER | {'CONSTR_GENERATED'})}",
        *kept,
    )
    column = parts.name
    recipe.alone(
        "Computes it for the rows that are there, in batches.",
        in_batches(
            subject.rows,
            f"UPDATE {subject.table} SET {column} = {expression}",
            f"{column} IS DISTINCT FROM ({expression})",
            repeat=True,
        ),
    )
    return recipe.text()


def constrained_domain(command: Command) -> str | None:
    """The domain's base type, and its conditions as CHECK constraints of the table: another schema."""
    subject, parts = _parts(command)
    ref = type_of_node(dict(command.column.get("typeName", {})), command.forecast.before)
    domain = None if ref is None else user_type(ref.name, command.forecast.before)
    if parts is None or domain is None or domain.base_type is None:
        return None
    recipe = Recipe().note(f"The column has the base type of {domain.qualified_name}; the table keeps its conditions.")
    recipe.brief(
        "The column, of the base type.", f"ALTER TABLE {subject.table} ADD COLUMN {parts.name} {domain.base_type}"
    )
    for constraint in domain.constraints:
        condition = _bracketed(constraint.definition)
        on_column = (
            None if condition is None else with_columns(condition, lambda name: parts.name if name == "value" else None)
        )
        if on_column is None:
            return None
        name = quote_identifier(object_name(subject.bare, subject.column, constraint.name))
        recipe.brief(
            "New rows are checked from now on.",
            f"ALTER TABLE {subject.table} ADD CONSTRAINT {name} CHECK ({on_column}) NOT VALID",
        )
        recipe.long(
            "Checks the rows that are there; readers and writers go on.",
            f"ALTER TABLE {subject.table} VALIDATE CONSTRAINT {name}",
        )
    return recipe.text()


def required(command: Command) -> str | None:
    """The column as nullable; the rows that are there filled by the user; then NOT NULL."""
    subject, parts = _parts(command)
    if parts is None:
        return None
    recipe = Recipe().brief(
        "The column, without NOT NULL. From now on the code must write it.",
        f"ALTER TABLE {subject.table} ADD COLUMN {_definition(parts, without=_LATER | {'CONSTR_NOTNULL'})}",
    )
    return _finish(_fill(recipe, subject, parts.name, VALUE), subject, parts, fills=True)


def inline_check(command: Command) -> str | None:
    """The column by itself; its constraints one by one."""
    subject, parts = _parts(command)
    if parts is None:
        return None
    recipe = Recipe().brief(
        "The column by itself.", f"ALTER TABLE {subject.table} ADD COLUMN {_definition(parts, without=_LATER)}"
    )
    return _finish(recipe, subject, parts, fills=False)


inline_unique = inline_check
inline_reference = inline_check

_DEFAULTED = _LATER | {"CONSTR_DEFAULT", "CONSTR_NOTNULL"}


def _parts(command: Command) -> tuple[Subject, ColumnText | None]:
    subject = Subject.of_command(command)
    return subject, subject.definition


def _fill(recipe: Recipe, subject: Subject, column: str, value: str) -> Recipe:
    return recipe.alone(
        "Fills the rows that are there, in batches; each batch is committed by itself.",
        in_batches(
            subject.rows,
            f"UPDATE {subject.table} SET {column} = {value}",
            f"{column} IS NULL",
            repeat=not subject.rows.key,
        ),
    )


def _finish(recipe: Recipe, subject: Subject, parts: ColumnText, *, fills: bool, required: bool = True) -> str | None:
    """NOT NULL, CHECK, UNIQUE and foreign key, as far as the column has them."""
    column = (subject.column,)
    for node, text in parts.constraints:
        kind = node.get("contype")
        if kind == "CONSTR_NOTNULL" and fills and required:
            not_null_steps(recipe, subject, subject.column)
        elif kind == "CONSTR_CHECK":
            check_steps(recipe, subject, node, text)
        elif kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY"):
            if unique_steps(recipe, subject, _with_deferral(node, text), column) is None:
                return None
        elif kind == "CONSTR_FOREIGN":
            foreign_key_steps(recipe, subject, node, _as_table_constraint(parts.name, node, text), column)
    return recipe.text()


def _as_table_constraint(column: str, node: Node, text: str) -> str:
    """``[CONSTRAINT name] REFERENCES …`` as it is written for a table."""
    place = text.upper().index("REFERENCES")
    return f"{text[:place]}FOREIGN KEY ({column}) {text[place:]}"


def _with_deferral(node: Node, text: str) -> Node:
    """The attributes of an inline constraint are nodes of their own; they are in its text."""
    words = text.upper().split()
    deferrable = "DEFERRABLE" in words and words[words.index("DEFERRABLE") - 1] != "NOT"
    return {**node, "deferrable": deferrable or "DEFERRED" in words, "initdeferred": "DEFERRED" in words}


def _definition(parts: ColumnText, *, without: frozenset[str]) -> str:
    kept = [text for node, text in parts.constraints if node.get("contype") not in without]
    return " ".join([parts.name, parts.type, *kept])


def _node_of(parts: ColumnText, kind: str) -> Node | None:
    return next((node for node, _ in parts.constraints if node.get("contype") == kind), None)


def _text_of(parts: ColumnText, kind: str) -> str | None:
    return next((text for node, text in parts.constraints if node.get("contype") == kind), None)


def _bracketed(text: str) -> str | None:
    """What stands between the first bracket and the last."""
    start, end = text.find("("), text.rfind(")")
    return text[start + 1 : end].strip() if 0 <= start < end else None
