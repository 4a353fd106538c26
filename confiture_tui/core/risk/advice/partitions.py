"""Partitions attached, created and detached without reading anything under a blocking lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.object_names import object_name
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.source import Source
from confiture_tui.core.risk.advice.subject import Subject
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.rules.command import Command


def attach_with_check(command: Command) -> str | None:
    """ATTACH PARTITION after CHECK constraints that prove that nothing has to be read."""
    subject = Subject.of_command(command)
    partition = command.node.get("def", {}).get("PartitionCmd", {})
    candidate = command.forecast.before.name_of(partition.get("name", {"relname": "?"}))
    if subject.relation is None or subject.text is None:
        return None
    condition = _condition(subject.source, partition.get("bound", {}), subject.relation)
    if condition is None:
        return None
    recipe, drops = Recipe(), list[str]()
    if any(work.relation == candidate for work in command.works()):
        drops.append(_prove(recipe, candidate, condition, "All rows belong there"))
    for default in _defaults(subject):
        if any(work.relation == default for work in command.works()):
            drops.append(_prove(recipe, default, f"NOT ({condition})", "No row of the DEFAULT partition belongs there"))
    return recipe.brief(
        "The CHECK constraints prove it, so that nothing is read; then they are not needed any more.",
        f"ALTER TABLE {subject.table} {subject.text}",
        *drops,
    ).text()


def create_then_attach(forecast: Forecast) -> str | None:
    """A table like the parent, attached: ACCESS EXCLUSIVE on nothing that others use, but a DEFAULT partition."""
    node = forecast.statement.node or {}
    parent_var = node["inhRelations"][0]["RangeVar"]
    parent = forecast.before.name_of(parent_var)
    special = {"tableElts", "partspec", "options", "tablespacename", "accessMethod"} & node.keys()
    if special or node.get("if_not_exists") or node["relation"].get("relpersistence") != "p":
        return None
    source = Source(forecast.statement.sql)
    bound = node["partbound"]
    location = bound.get("location")
    if location is None:
        return None
    table = forecast.before.name_of(node["relation"])
    text = source.part(source.offset(location), len(source.sql))
    if not text.upper().startswith(("FOR", "DEFAULT")):
        # The place given is that of the bound's first word after FOR VALUES.
        start = source.word("for", 0, len(source.sql))
        text = source.part(start or 0, len(source.sql))
    relation = forecast.before.relation(parent)
    recipe, drops = Recipe(), list[str]()
    recipe.brief(
        "A table with the parent's columns, constraints and indexes; no lock on the parent that others would notice.",
        f"CREATE TABLE {table} (LIKE {parent} INCLUDING ALL EXCLUDING IDENTITY)",
    )
    if relation is not None:
        defaults = [one for one in forecast.before.children(relation) if one.partition_bound == "DEFAULT"]
        condition = _condition(source, bound, relation)
        if defaults and condition is None:
            return None
        drops += [
            _prove(recipe, one.qualified_name, f"NOT ({condition})", "No row of the DEFAULT partition belongs there")
            for one in defaults
        ]
    return recipe.brief(
        "SHARE UPDATE EXCLUSIVE on the parent: readers and writers go on.",
        f"ALTER TABLE {parent} ATTACH PARTITION {table} {text}",
        *drops,
    ).text()


def detach_concurrently(command: Command) -> str | None:
    """DETACH PARTITION … CONCURRENTLY, where there is no DEFAULT partition."""
    subject = Subject.of_command(command)
    partition = command.node.get("def", {}).get("PartitionCmd", {})
    name = command.forecast.before.name_of(partition.get("name", {"relname": "?"}))
    if subject.relation is not None and _defaults(subject):
        return None
    recipe = Recipe().alone(
        "Waits for those who use the partition; nobody waits. If it is cut off: DETACH PARTITION … FINALIZE.",
        f"ALTER TABLE {subject.table} DETACH PARTITION {name} CONCURRENTLY",
    )
    check = _check_left_behind(subject, name)
    if check is not None:
        recipe.brief(
            "The CHECK with the old bounds that CONCURRENTLY leaves behind.",
            f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {check}",
        )
    return recipe.text()


def _prove(recipe: Recipe, table: str, condition: str, what: str) -> str:
    """Adds the steps that prove a condition; gives the sub-command that takes the proof away."""
    helper = "attach_bounds"
    recipe.brief(
        f"{what}: new rows are checked from now on.",
        f"ALTER TABLE {table} ADD CONSTRAINT {helper} CHECK ({condition}) NOT VALID",
    )
    recipe.long("Reads the table; readers and writers go on.", f"ALTER TABLE {table} VALIDATE CONSTRAINT {helper}")
    return f"ALTER TABLE {table} DROP CONSTRAINT {helper}"


def _condition(source: Source, bound: Node, parent: Relation) -> str | None:
    """What the bound says of a row, as a CHECK; ``None`` for several keys, expressions, hashes and NULL."""
    partitioning = parent.partitioning
    if partitioning is None or len(partitioning.columns) != 1 or partitioning.columns[0] is None:
        return None
    column = quote_identifier(partitioning.columns[0])
    lists = _lists(source, bound)
    if bound.get("strategy") == "l" and len(lists) == 1:
        values = lists[0]
        if any(one.upper() == "NULL" for one in values):
            return None
        return f"{column} IS NOT NULL AND {column} IN ({', '.join(values)})"
    if bound.get("strategy") == "r" and len(lists) == 2 and all(len(one) == 1 for one in lists):
        (lower,), (upper,) = lists
        parts = [f"{column} IS NOT NULL"]
        if lower.upper() != "MINVALUE":
            parts.append(f"{column} >= {lower}")
        if upper.upper() != "MAXVALUE":
            parts.append(f"{column} < {upper}")
        return " AND ".join(parts)
    return None


def _lists(source: Source, bound: Node) -> list[list[str]]:
    """The lists in brackets behind FOR VALUES, as written."""
    if "location" not in bound:
        return []
    found: list[list[str]] = []
    depth, begin = 0, 0
    for position, token in source.tokens(source.offset(bound["location"]), len(source.sql)):
        if token == "(":
            depth += 1
            if depth == 1:
                begin = position + 1
        elif token == ")":
            depth -= 1
            if depth == 0:
                found.append([source.sql[start:end] for start, end in source.split(begin, position)])
    return found


def _defaults(subject: Subject) -> list[str]:
    relation = subject.relation
    if relation is None:
        return []
    return [
        one.qualified_name for one in subject.forecast.before.children(relation) if one.partition_bound == "DEFAULT"
    ]


def _check_left_behind(subject: Subject, partition: str) -> str | None:
    """The name of the CHECK that DETACH CONCURRENTLY makes, where it can be told."""
    parent, relation = subject.relation, subject.forecast.before.relation(partition)
    if parent is None or parent.partitioning is None or relation is None:
        return None
    columns = parent.partitioning.columns
    if parent.partitioning.strategy == "hash" or any(one is None for one in columns):
        return None
    second = columns[0] if len(columns) == 1 else None
    taken = {one.name for one in relation.constraints}
    number, name = 0, object_name(relation.name, second, "check")
    while name in taken:
        number += 1
        name = object_name(relation.name, second, f"check{number}")
    return quote_identifier(name)
