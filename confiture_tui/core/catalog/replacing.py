"""Copies of frozen records in which some fields are different.

The simulation makes tens of copies of a table while it reads the statement that creates it. ``dataclasses.replace``
reads every field by name, builds a dictionary of them and calls ``__init__``, which costs five times as much as what
is done here: one assignment a field, in a function that is generated once for each class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace as replace
else:
    from collections.abc import Callable
    from dataclasses import fields
    from functools import cache
    from typing import Any

    def replace(record, /, **changes):
        """A copy of a record (a dataclass with slots, without ``__post_init__``) with some fields changed.

        Raises:
            TypeError: it has no such field.
        """
        copy, setters = _tools(type(record))
        changed = copy(record)
        for name, value in changes.items():
            setter = setters.get(name)
            if setter is None:
                raise TypeError(f"{type(record).__name__} has no field {name!r}")
            setter(changed, value)
        return changed

    @cache
    def _tools(kind: type) -> tuple[Callable[[Any], Any], dict[str, Callable[[Any, Any], None]]]:
        """What copies a record of a class, and for each field what sets it, frozen or not."""
        setters = {one.name: getattr(kind, one.name).__set__ for one in fields(kind)}
        names = {f"set_{name}": setter for name, setter in setters.items()}
        names |= {"new": object.__new__, "kind": kind}
        lines = [f" set_{name}(copy, record.{name})" for name in setters]
        exec("\n".join(["def copied(record):", " copy = new(kind)", *lines, " return copy"]), names)
        return names["copied"], setters
