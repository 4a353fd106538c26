"""Where a session is: its project, and the database that its migrations are meant for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.migrations.model import Finding

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn


class ProjectInfo(FrozenModel):
    """The project that is open.

    Attributes:
        name: its directory's name, or ``demo shop``.
        directory: its root.
        environment: the environment's name, shown as a word on every screen.
        is_production: whether changing it takes the operator's deliberate confirmation.
        findings: what is wrong with its files.
        alone: the one file that is looked at by itself, of no project; ``None`` where there is one.
    """

    name: str
    directory: Path
    environment: str
    is_production: bool
    findings: tuple[Finding, ...] = ()
    alone: Path | None = None


class TargetInfo(FrozenModel):
    """The database that the migrations are meant for.

    Attributes:
        database: its name.
        server_version: as the server writes it, for example ``18.6``.
        server_version_num: as ``server_version_num`` has it, for example 180006.
        role: the session's role.
        is_superuser: whether that role is a superuser.
        in_recovery: the server is a standby.
        read_only: nothing may be changed in this session.
        display: host, port, database and user, the password masked.
        conninfo: the same as a connection string that can be used, without any password.
        source: where the connection string came from.
        host: ``host:port``; empty for a local socket.
    """

    database: str
    server_version: str
    server_version_num: int
    role: str
    is_superuser: bool
    in_recovery: bool
    read_only: bool
    display: str
    conninfo: str = ""
    source: str
    host: str = ""

    @classmethod
    def of(cls, conn: psycopg.Connection[Any], dsn: Dsn, *, read_only: bool) -> Self:
        """The database that a connection, made by that way, leads to."""
        from confiture_tui.database.connection import identify

        identity = identify(conn)
        local = conn.info.host.startswith(("/", "@"))
        return cls(
            database=identity.database,
            server_version=identity.server_version,
            server_version_num=identity.server_version_num,
            role=identity.role,
            is_superuser=identity.is_superuser,
            in_recovery=identity.in_recovery,
            read_only=read_only,
            display=dsn.display(),
            conninfo=dsn.display(masked=False),
            source=dsn.source,
            host="" if local else f"{conn.info.host}:{conn.info.port}",
        )


class Opened(FrozenModel):
    """What opening found: the project, and the database if there is one."""

    project: ProjectInfo | None
    target: TargetInfo | None
