"""The connection that a hook is given: everything but the end of the transaction that is not the hook's.

A seat belt, not a sandbox: a hook is code with all rights of the process. What it does in SQL (``COMMIT``) is found
out by the executor, which looks whether its savepoint is still there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import psycopg

_REFUSED = frozenset(
    {
        "commit",
        "rollback",
        "close",
        "cancel",
        "cancel_safe",
        "tpc_begin",
        "tpc_prepare",
        "tpc_commit",
        "tpc_rollback",
        "set_autocommit",
        "set_isolation_level",
        "set_read_only",
        "set_deferrable",
        "__enter__",
        "__exit__",
    }
)


class GuardedConnection:
    """A ``psycopg.Connection`` in all but the methods that end its transaction or the connection itself."""

    def __init__(self, connection: psycopg.Connection[Any], hook: str) -> None:
        object.__setattr__(self, "_connection", connection)
        object.__setattr__(self, "_hook", hook)

    def __getattr__(self, name: str) -> Any:
        if name in _REFUSED:
            self._refuse(f"call {name}()")
        return getattr(object.__getattribute__(self, "_connection"), name)

    def __setattr__(self, name: str, value: object) -> None:
        self._refuse(f"set {name}")

    def __repr__(self) -> str:
        return f"<connection of the hook {object.__getattribute__(self, '_hook')}>"

    def __enter__(self) -> NoReturn:
        self._refuse("be used in `with`, which would close it: use `with conn.transaction():`")

    def __exit__(self, *_: object) -> None:
        return None

    def _refuse(self, what: str) -> NoReturn:
        hook = object.__getattribute__(self, "_hook")
        raise PermissionError(
            f"the connection of the hook {hook} cannot {what}: the transaction belongs to the run, not to the hook"
        )
