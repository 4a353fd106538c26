"""A snapshot of a database's schema and statistics, its diff and its fingerprint.

>>> before = Catalog.load(conn)              # doctest: +SKIP
>>> after = Catalog.load(conn)               # doctest: +SKIP
>>> before.diff(after).changes               # doctest: +SKIP
"""

from __future__ import annotations

from confiture_tui.core.catalog.catalog import Catalog
from confiture_tui.core.catalog.diff import AttributeChange, Change, SchemaChange, SchemaDiff

__all__ = ["AttributeChange", "Catalog", "Change", "SchemaChange", "SchemaDiff"]
