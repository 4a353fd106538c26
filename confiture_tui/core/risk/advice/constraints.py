"""Constraints of tables with rows: added without reading them under a blocking lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.object_names import columns_part, object_name
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.source import Source
from confiture_tui.core.risk.advice.subject import Subject
from confiture_tui.core.risk.advice.tree import nodes_of, strings
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.advice.source import Node
    from confiture_tui.core.risk.rules.command import Command


def not_null(command: Command, column: str) -> str:
    """SET NOT NULL through a validated CHECK."""
    return not_null_steps(Recipe(), Subject.of_command(command), column).text()


def not_null_steps(recipe: Recipe, subject: Subject, column: str) -> Recipe:
    """The steps that make a column NOT NULL without reading the table under a blocking lock."""
    name, table = quote_identifier(column), subject.table
    helper = subject.helper("there", column)
    recipe.brief(
        "A CHECK that new rows keep from now on; rows that are there are not looked at.",
        f"ALTER TABLE {table} ADD CONSTRAINT {helper} CHECK ({name} IS NOT NULL) NOT VALID",
    )
    recipe.long(
        "Reads the table; readers and writers go on.",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {helper}",
    )
    return recipe.brief(
        "The CHECK proves that there is no NULL, so that nothing is read; then it is not needed any more.",
        f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL",
        f"ALTER TABLE {table} DROP CONSTRAINT {helper}",
    )


def not_valid(command: Command) -> str | None:
    """ADD CHECK as NOT VALID, then VALIDATE."""
    subject = Subject.of_command(command)
    if subject.text is None:
        return None
    return check_steps(Recipe(), subject, command.constraint, _after_add(subject.text)).text()


def check_steps(recipe: Recipe, subject: Subject, constraint: Node, text: str) -> Recipe:
    """The steps that add a CHECK; ``text`` begins with CONSTRAINT or CHECK."""
    name, body = _named(subject, constraint, text, _checked_columns(constraint), "check")
    recipe.brief(
        "New rows are checked from now on; rows that are there are not looked at.",
        f"ALTER TABLE {subject.table} ADD {body} NOT VALID",
    )
    return _validate(recipe, subject, name)


def foreign_key(command: Command) -> str | None:
    """ADD FOREIGN KEY as NOT VALID, then VALIDATE."""
    subject = Subject.of_command(command)
    if subject.text is None:
        return None
    return foreign_key_steps(
        Recipe(), subject, command.constraint, _after_add(subject.text), strings(command.constraint.get("fk_attrs", ()))
    ).text()


def foreign_key_steps(
    recipe: Recipe, subject: Subject, constraint: Node, text: str, columns: tuple[str, ...]
) -> Recipe:
    """The steps that add a foreign key; ``text`` begins with CONSTRAINT or FOREIGN KEY."""
    name, body = _named(subject, constraint, text, columns, "fkey")
    if subject.is_partitioned and subject.forecast.before.server_version_num < 180000:
        return _foreign_key_by_partition(recipe, subject, name, body)
    recipe.brief(
        "New rows are looked up from now on; rows that are there are not looked at.",
        f"ALTER TABLE {subject.table} ADD {body} NOT VALID",
    )
    return _validate(recipe, subject, name)


def _foreign_key_by_partition(recipe: Recipe, subject: Subject, name: str, body: str) -> Recipe:
    relation = subject.relation
    assert relation is not None
    leaves = [one for one in subject.forecast.before.descendants(relation) if one.partitioning is None]
    for leaf in leaves:
        recipe.brief(
            "A partitioned table takes no NOT VALID before PostgreSQL 18, its partitions do.",
            f"ALTER TABLE {leaf.qualified_name} ADD {body} NOT VALID",
        )
        recipe.long(
            "Reads the partition; readers and writers go on.",
            f"ALTER TABLE {leaf.qualified_name} VALIDATE CONSTRAINT {name}",
        )
    return recipe.brief(
        "Takes the partitions' foreign keys as its own, so that nothing is read.",
        f"ALTER TABLE {subject.table} ADD {body}",
    )


def using_index(command: Command) -> str | None:
    """UNIQUE or PRIMARY KEY by an index that is built CONCURRENTLY."""
    subject = Subject.of_command(command)
    if subject.text is None:
        return None
    recipe = unique_steps(Recipe(), subject, command.constraint, strings(command.constraint.get("keys", ())))
    return None if recipe is None else recipe.text()


def unique_steps(recipe: Recipe, subject: Subject, constraint: Node, columns: tuple[str, ...]) -> Recipe | None:
    """The steps that add UNIQUE or PRIMARY KEY; ``None`` where there is no online form."""
    index = _index_of(constraint, columns)
    if index is None or not columns:
        return None
    primary = constraint.get("contype") == "CONSTR_PRIMARY"
    given = constraint.get("conname")
    names = (*columns, *strings(constraint.get("including", ())))
    stored = given or (subject.index_name((), "pkey") if primary else subject.index_name(names, "key"))
    name, kind = quote_identifier(stored), "PRIMARY KEY" if primary else "UNIQUE"
    if primary:
        for column in columns:
            found = None if subject.relation is None else subject.relation.column(column)
            if found is None or not found.not_null:
                not_null_steps(recipe, subject, column)
    deferral = _deferral(constraint)
    if subject.is_partitioned:
        return _unique_by_partition(recipe, subject, kind, stored, names, index, deferral)
    recipe.alone(
        "Builds the index; readers and writers go on. If it fails, drop the invalid index CONCURRENTLY first.",
        f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {subject.table} {index}",
    )
    return recipe.brief(
        "Makes the index the constraint's.",
        f"ALTER TABLE {subject.table} ADD CONSTRAINT {name} {kind} USING INDEX {name}{deferral}",
    )


def _unique_by_partition(
    recipe: Recipe, subject: Subject, kind: str, name: str, columns: tuple[str, ...], index: str, deferral: str
) -> Recipe | None:
    relation = subject.relation
    assert relation is not None
    partitions = subject.forecast.before.children(relation)
    if any(one.partitioning is not None for one in partitions):
        return None
    attach = []
    for partition in partitions:
        if kind == "PRIMARY KEY":
            own = quote_identifier(object_name(partition.name, None, "pkey"))
        else:
            own = quote_identifier(object_name(partition.name, columns_part(columns), "key"))
        recipe.alone(
            "Builds the partition's index; readers and writers go on.",
            f"CREATE UNIQUE INDEX CONCURRENTLY {own} ON {partition.qualified_name} {index}",
        )
        recipe.brief(
            "Makes it the partition's constraint.",
            f"ALTER TABLE {partition.qualified_name} ADD CONSTRAINT {own} {kind} USING INDEX {own}{deferral}",
        )
        attach.append(f"{quote_identifier(partition.schema)}.{own}")
    parent = f"{subject.schema}.{quote_identifier(name)}"
    return recipe.brief(
        "The constraint of the partitioned table, made of those of its partitions.",
        f"ALTER TABLE ONLY {subject.table} ADD CONSTRAINT {quote_identifier(name)} {kind} {index}{deferral}",
        *(f"ALTER INDEX {parent} ATTACH PARTITION {one}" for one in attach),
    )


def primary_key_not_null_first(command: Command) -> str | None:
    """The columns of the index made NOT NULL first; then the statement as it is."""
    subject = Subject.of_command(command)
    index_name = f"{subject.schema}.{quote_identifier(command.constraint['indexname'])}"
    index = command.forecast.before.index(index_name)
    if index is None or subject.text is None or subject.relation is None:
        return None
    recipe = Recipe()
    for column in index.key_columns:
        found = None if column is None else subject.relation.column(column)
        if column is not None and (found is None or not found.not_null):
            not_null_steps(recipe, subject, column)
    return recipe.brief(
        "Makes the index the primary key; nothing is read.", f"ALTER TABLE {subject.table} {subject.text}"
    ).text()


def two_transactions(forecast: Forecast, simulation: Simulation) -> str | None:
    """VALIDATE in a transaction of its own: the statements before it, very many only by where they end, and it."""
    source = Source(forecast.statement.sql)
    node = forecast.statement.node or {}
    spans = source.commands(node)
    if not spans:
        return None
    table = forecast.before.name_of(node["relation"])
    texts = [source.sql[start:end] for start, end in spans]
    subtypes = [one.get("AlterTableCmd", {}).get("subtype") for one in node.get("cmds", ())]
    first = [text for text, subtype in zip(texts, subtypes, strict=True) if subtype != "AT_ValidateConstraint"]
    last = [text for text, subtype in zip(texts, subtypes, strict=True) if subtype == "AT_ValidateConstraint"]
    recipe = Recipe()
    before = _earlier(forecast, simulation)
    earlier = [one.statement.sql for one in before]
    if len(before) > _MOST_REPEATED:
        line = before[-1].statement.line
        recipe.note(f"First all that this transaction does up to line {line}, in one that ends before this begins.")
        earlier = []
    if first:
        earlier.append(f"ALTER TABLE {table} {', '.join(first)}")
    if earlier:
        recipe.brief("What takes the blocking locks, and only that.", *earlier)
    return recipe.long("Reads the table; readers and writers go on.", f"ALTER TABLE {table} {', '.join(last)}").text()


def _earlier(forecast: Forecast, simulation: Simulation) -> list[Forecast]:
    """The statements before in the same transaction, but those that only set something; of very many the last."""
    if forecast.transaction is None:
        return []
    found: list[Forecast] = []
    for place in range(forecast.statement.index - 2, -1, -1):
        one = simulation.forecasts[place]
        if one.transaction != forecast.transaction:
            break
        if one.statement.node_kind not in ("TransactionStmt", "VariableSetStmt"):
            found.append(one)
        if len(found) > _MOST_REPEATED:
            break
    return found[::-1]


_MOST_REPEATED = 100
"""Statements that are repeated in an advice; of more, the line where they end is told."""


def parents_first(command: Command, parents: Iterable[str]) -> str | None:
    """The referenced tables locked first, each wait bounded."""
    subject = Subject.of_command(command)
    if subject.text is None:
        return None
    return (
        Recipe()
        .brief(
            "Asks for the busiest table's lock first: nothing is held while it is waited for. On a time-out try again.",
            *(f"LOCK TABLE {one} IN ACCESS EXCLUSIVE MODE" for one in parents),
            f"ALTER TABLE {subject.table} {subject.text}",
        )
        .text()
    )


def _validate(recipe: Recipe, subject: Subject, name: str) -> Recipe:
    return recipe.long(
        "Checks the rows that are there; readers and writers go on.",
        f"ALTER TABLE {subject.table} VALIDATE CONSTRAINT {name}",
    )


def _named(subject: Subject, constraint: Node, text: str, columns: tuple[str, ...], label: str) -> tuple[str, str]:
    """The constraint's name, quoted, and its text with that name."""
    given = constraint.get("conname")
    if given:
        return quote_identifier(given), text
    name = quote_identifier(subject.constraint_name(columns, label))
    return name, f"CONSTRAINT {name} {text}"


def _after_add(text: str) -> str:
    """``ADD CONSTRAINT …`` without its ADD."""
    source = Source(text)
    (start, _), *_ = [*source.tokens(0, len(text))]
    return text[start + len("ADD") :].lstrip()


def _checked_columns(constraint: Node) -> tuple[str, ...]:
    """The column by which the server names a CHECK: the only one that it mentions."""
    found = {
        names[-1]
        for one in nodes_of(constraint.get("raw_expr"), "ColumnRef")
        if (names := strings(one.get("fields", ())))
    }
    return tuple(found) if len(found) == 1 else ()


def _index_of(constraint: Node, columns: tuple[str, ...]) -> str | None:
    """What stands behind the table's name in CREATE INDEX; ``None`` for a form that cannot be built online."""
    if constraint.get("without_overlaps"):
        return None
    parts = [f"({', '.join(map(quote_identifier, columns))})"]
    if included := strings(constraint.get("including", ())):
        parts.append(f"INCLUDE ({', '.join(map(quote_identifier, included))})")
    if constraint.get("nulls_not_distinct"):
        parts.append("NULLS NOT DISTINCT")
    options = []
    for one in constraint.get("options", ()):
        element = one.get("DefElem", {})
        value = element.get("arg", {}).get("Integer", {}).get("ival")
        if value is None:
            return None
        options.append(f"{quote_identifier(element.get('defname', ''))} = {value}")
    if options:
        parts.append(f"WITH ({', '.join(options)})")
    if space := constraint.get("indexspace"):
        parts.append(f"TABLESPACE {quote_identifier(space)}")
    return " ".join(parts)


def _deferral(constraint: Node) -> str:
    if constraint.get("initdeferred"):
        return " DEFERRABLE INITIALLY DEFERRED"
    return " DEFERRABLE" if constraint.get("deferrable") else ""
