"""A column of another type, made beside the old one and put in its place in one brief transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Generated
from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_POLICY, PG_REWRITE, PG_TRIGGER, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.object_names import object_name
from confiture_tui.core.risk.advice.backfill import Rows, in_batches
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.source import with_columns
from confiture_tui.core.risk.advice.subject import Subject, literal
from confiture_tui.core.risk.advice.sync import keep_by_trigger, stop_keeping
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.risk.rules.command import Command


@dataclass(slots=True)
class _Swap:
    """What the last step puts in the place of the old column, in order."""

    before_drop: list[str] = field(default_factory=list)
    after_rename: list[str] = field(default_factory=list)


def new_column(command: Command) -> str | None:
    """New column, trigger, batches, indexes and constraints beside the old ones, swap.

    ``None`` where more hangs on the column than can be moved: foreign keys of other tables, views, policies,
    triggers on the column, indexes on expressions, generated columns, partitions.
    """
    subject = Subject.of_command(command)
    written = _type_and_using(subject)
    if written is None:
        return None
    type_text, using = written
    relation = subject.relation if subject.known else None
    column = None if relation is None else relation.column(subject.column)
    if relation is not None and (column is None or not _is_movable(subject, relation, column)):
        return None
    old = quote_identifier(subject.column)
    new = quote_identifier(object_name(subject.column, None, "new"))
    # Without a USING clause the server takes the assignment cast; in PL/pgSQL an assignment does just that.
    expression = using or old
    kept = keep_by_trigger(subject, new, expression)
    if kept is None:
        return None
    table = subject.table
    recipe = Recipe()
    if relation is None:
        recipe.note(
            "Written without a catalog: indexes, constraints, defaults, grants and comments of the column are not "
            "known, and have to be made for the new column before the last step."
        )
    recipe.brief(
        "The new column, and the trigger that keeps it in step with the old one.",
        f"ALTER TABLE {table} ADD COLUMN {new} {type_text}",
        *kept,
    )
    recipe.alone(
        "Fills the rows that are there, in batches: the trigger computes the value.",
        in_batches(
            _walkable(subject),
            f"UPDATE {table} SET {old} = {old}",
            f"{new} IS NULL AND {old} IS NOT NULL",
            repeat=True,
        ),
    )
    swap = _Swap()
    if relation is not None and column is not None:
        _indexes(recipe, swap, subject, relation, column, new)
        if not _constraints(recipe, swap, subject, relation, column, new):
            return None
        _properties(recipe, swap, subject, relation, column, new)
    recipe.brief(
        "Puts the new column in the place of the old one. The values of the old column go with it.",
        *stop_keeping(subject),
        *swap.before_drop,
        f"ALTER TABLE {table} DROP COLUMN {old}",
        f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}",
        *swap.after_rename,
    )
    return recipe.text()


def _type_and_using(subject: Subject) -> tuple[str, str | None] | None:
    """The new type with COLLATE, and the expression of USING, as written."""
    definition = subject.node.get("def", {}).get("ColumnDef", {})
    location = definition.get("typeName", {}).get("location")
    if subject.span is None or location is None:
        return None
    start, stop = subject.source.offset(location), subject.span[1]
    using = subject.source.word("using", start, stop)
    if using is None:
        return subject.source.part(start, stop), None
    return subject.source.part(start, using), subject.source.part(using + len("using"), stop)


def _is_movable(subject: Subject, relation: Relation, column: Column) -> bool:
    if relation.kind is not RelationKind.TABLE or relation.is_partition or relation.parents or relation.of_type:
        return False
    before = subject.forecast.before
    if before.children(relation) or column.generated is not None:
        return False
    if any(column.name in key.referenced_columns for child, key in before.referencing(relation)):
        return False
    if any(_mentions(one.default or "", column) for one in relation.columns if one.generated in tuple(Generated)):
        return False
    for index in relation.indexes:
        if _mentions(" ".join([*index.expressions, index.predicate or ""]), column):
            return False
        if index.replica_identity or index.clustered or index.exclusion:
            return False
    if column.options or column.acl or column.compression or column.statistics_target is not None:
        return False
    dependents = before.dependents(ObjectAddress(PG_CLASS, relation.oid, column.number))
    return not any(one.dependent.class_oid in (PG_REWRITE, PG_POLICY, PG_TRIGGER) for one in dependents)


def _walkable(subject: Subject) -> Rows:
    return subject.rows


def _indexes(recipe: Recipe, swap: _Swap, subject: Subject, relation: Relation, column: Column, new: str) -> None:
    for index in relation.indexes:
        if column.name not in (*index.key_columns, *index.included_columns):
            continue
        helper = quote_identifier(object_name(index.name, None, "new"))
        recipe.alone(
            "Builds the index of the new column; readers and writers go on.",
            _definition(index, helper, column.name, new),
        )
        name = quote_identifier(index.name)
        qualified = f"{subject.schema}.{helper}"
        constraint = next((one for one in relation.constraints if one.index_oid == index.oid and one.index_oid), None)
        own = constraint is not None and constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
        if own and constraint is not None:
            kind = "PRIMARY KEY" if constraint.kind is ConstraintKind.PRIMARY_KEY else "UNIQUE"
            deferral = " DEFERRABLE" if constraint.deferrable else ""
            deferral += " INITIALLY DEFERRED" if constraint.initially_deferred else ""
            swap.before_drop.append(f"ALTER TABLE {subject.table} DROP CONSTRAINT {constraint.quoted_name}")
            swap.after_rename.append(
                f"ALTER TABLE {subject.table} ADD CONSTRAINT {constraint.quoted_name} {kind} USING INDEX "
                f"{helper}{deferral}"
            )
        else:
            swap.after_rename.append(f"ALTER INDEX {qualified} RENAME TO {name}")
        if index.comment is not None:
            swap.after_rename.append(f"COMMENT ON INDEX {subject.schema}.{name} IS {literal(index.comment)}")


def _definition(index: Index, helper: str, column: str, new: str) -> str:
    """CREATE INDEX CONCURRENTLY as the old index, on the new column; of plain columns only."""
    keys = []
    for position, name in enumerate(index.key_columns):
        key = new if name == column else quote_identifier(str(name))
        # Operator class and collation of the changed column are those of its new type.
        if index.descending[position]:
            key += " DESC"
        if index.nulls_first[position] != index.descending[position]:
            key += " NULLS FIRST" if index.nulls_first[position] else " NULLS LAST"
        keys.append(key)
    text = f"CREATE {'UNIQUE ' if index.unique else ''}INDEX CONCURRENTLY {helper} ON {index.relation}"
    text += f" USING {index.access_method} ({', '.join(keys)})"
    if index.included_columns:
        included = [new if one == column else quote_identifier(one) for one in index.included_columns]
        text += f" INCLUDE ({', '.join(included)})"
    if index.nulls_not_distinct:
        text += " NULLS NOT DISTINCT"
    if index.options:
        text += f" WITH ({', '.join(index.options)})"
    if index.tablespace:
        text += f" TABLESPACE {quote_identifier(index.tablespace)}"
    if index.predicate:
        text += f" WHERE {index.predicate}"
    return text


def _constraints(recipe: Recipe, swap: _Swap, subject: Subject, relation: Relation, column: Column, new: str) -> bool:
    table = subject.table
    if column.not_null:
        helper = quote_identifier(object_name(relation.name, column.name, "there"))
        recipe.brief(
            "A CHECK that new rows keep from now on; rows that are there are not looked at.",
            f"ALTER TABLE {table} ADD CONSTRAINT {helper} CHECK ({new} IS NOT NULL) NOT VALID",
        )
        recipe.long("Reads the table; readers and writers go on.", f"ALTER TABLE {table} VALIDATE CONSTRAINT {helper}")
        recipe.brief(
            "The CHECK proves it, so that nothing is read.",
            f"ALTER TABLE {table} ALTER COLUMN {new} SET NOT NULL",
            f"ALTER TABLE {table} DROP CONSTRAINT {helper}",
        )
    for constraint in relation.constraints:
        if column.name not in constraint.columns:
            continue
        if constraint.kind is ConstraintKind.NOT_NULL:
            made = object_name(relation.name, object_name(column.name, None, "new"), "not_null")
            swap.after_rename.append(
                f"ALTER TABLE {table} RENAME CONSTRAINT {quote_identifier(made)} TO {constraint.quoted_name}"
            )
        elif constraint.kind in (ConstraintKind.CHECK, ConstraintKind.FOREIGN_KEY):
            definition = _on_new_column(constraint, column, new)
            if definition is None or constraint.parent_oid or not constraint.enforced:
                return False
            helper = quote_identifier(object_name(constraint.name, None, "new"))
            not_valid = " NOT VALID" if constraint.validated else ""
            recipe.brief(
                "The constraint for the new column; rows that are there are not looked at.",
                f"ALTER TABLE {table} ADD CONSTRAINT {helper} {definition}{not_valid}",
            )
            if constraint.validated:
                recipe.long(
                    "Checks the rows that are there; readers and writers go on.",
                    f"ALTER TABLE {table} VALIDATE CONSTRAINT {helper}",
                )
            swap.before_drop.append(f"ALTER TABLE {table} DROP CONSTRAINT {constraint.quoted_name}")
            swap.after_rename.append(f"ALTER TABLE {table} RENAME CONSTRAINT {helper} TO {constraint.quoted_name}")
            if constraint.comment is not None:
                swap.after_rename.append(
                    f"COMMENT ON CONSTRAINT {constraint.quoted_name} ON {table} IS {literal(constraint.comment)}"
                )
    return True


def _on_new_column(constraint: Constraint, column: Column, new: str) -> str | None:
    """The constraint's definition with the new column in place of the old one, without NOT VALID."""
    definition = constraint.definition.removesuffix(" NOT VALID")
    tail = "" if constraint.validated else " NOT VALID"
    if constraint.kind is ConstraintKind.CHECK:
        start, end = definition.find("("), definition.rfind(")")
        body = with_columns(definition[start + 1 : end], lambda name: new if name == column.name else None)
        return None if body is None else f"CHECK ({body}){definition[end + 1 :]}{tail}"
    names = [new if one == column.name else quote_identifier(one) for one in constraint.columns]
    start = definition.find("(")
    end = definition.find(") REFERENCES ")
    if start < 0 or end < 0 or "SET NULL (" in definition or "SET DEFAULT (" in definition:
        return None
    return f"{definition[:start]}({', '.join(names)}{definition[end:]}{tail}"


def _properties(recipe: Recipe, swap: _Swap, subject: Subject, relation: Relation, column: Column, new: str) -> None:
    """Default, identity, owned sequences and comment."""
    table, old = subject.table, quote_identifier(column.name)
    sequences = [
        one for one in subject.forecast.before.owned_sequences(relation) if one.owned_by_number == column.number
    ]
    if column.identity is not None and sequences:
        sequence = sequences[0]
        helper = quote_identifier(object_name(sequence.name, None, "new"))
        swap.before_drop += [
            f"ALTER TABLE {table} ALTER COLUMN {new} ADD GENERATED {column.identity.value.upper()} AS IDENTITY "
            f"(SEQUENCE NAME {subject.schema}.{helper} START {sequence.start} INCREMENT {sequence.increment} "
            f"CACHE {sequence.cache}{' CYCLE' if sequence.cycles else ''})",
            f"SELECT setval({literal(f'{subject.schema}.{helper}')}, last_value, is_called) "
            f"FROM {sequence.qualified_name}",
        ]
        swap.after_rename.append(
            f"ALTER SEQUENCE {subject.schema}.{helper} RENAME TO {quote_identifier(sequence.name)}"
        )
    else:
        swap.before_drop += [f"ALTER SEQUENCE {one.qualified_name} OWNED BY {table}.{new}" for one in sequences]
        if column.default is not None:
            swap.before_drop.append(f"ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {column.default}")
    if column.comment is not None:
        swap.after_rename.append(f"COMMENT ON COLUMN {table}.{old} IS {literal(column.comment)}")


def _mentions(expression: str, column: Column) -> bool:
    """Whether an expression names the column; one that cannot be read is taken to."""
    if not expression.strip():
        return False
    found = []
    text = with_columns(expression, lambda name: found.append(name))
    return text is None or column.name in found
