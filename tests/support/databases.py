"""Databases for tests: fresh ones, and clones of a template that is made once a session."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer


class Databases:
    """Makes databases on a server, and remembers what it made so that all of it can be dropped."""

    _numbers = itertools.count(1)

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self._templates: dict[str, str] = {}
        self._made: list[str] = []

    def fresh(self, template: str | None = None) -> Dsn:
        """A new database: empty, or a copy of a template."""
        name = f"test_{next(self._numbers)}"
        self.server.create_database(name, template=template)
        self._made.append(name)
        return self.server.dsn(name)

    def template(self, sql: str) -> str:
        """The name of a database in which a script has been run; the script runs once a session."""
        name = self._templates.get(sql)
        if name is None:
            name = f"template_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
            self.server.create_database(name)
            try:
                with connect(self.server.dsn(name)) as conn:
                    conn.execute(sql.encode())
            except BaseException:
                self.server.drop_database(name)
                raise
            self._templates[sql] = name
        return name

    def from_sql(self, sql: str) -> Dsn:
        """A new database as the script leaves it."""
        return self.fresh(self.template(sql))

    def drop_fresh(self) -> None:
        """Drop the databases of one test; the templates stay."""
        while self._made:
            self.server.drop_database(self._made.pop())

    def drop_all(self) -> None:
        """Drop everything."""
        self.drop_fresh()
        while self._templates:
            self.server.drop_database(self._templates.popitem()[1])
