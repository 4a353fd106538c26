"""How the embedded server is set: for disposable data, many sessions, and observations that mean something."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_tui.database.embedded.binaries import Binaries

_ALWAYS: Final[dict[str, str]] = {
    # Private: no network, and a socket that only its directory's owner reaches.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # The data are disposable: nothing needs to survive a crash of the machine.
    "fsync": "off",
    "synchronous_commit": "off",
    # WAL figures are quoted, so it must be written as production writes it. With wal_level=minimal a rewrite in the
    # transaction that made the table writes next to none, without full-page writes an UPDATE a sixth.
    "wal_level": "replica",
    "full_page_writes": "on",
    "max_wal_senders": "0",
    # WAL lies in memory where there is room; the default keeps up to 1 GB of it.
    "max_wal_size": "256MB",
    # Checkpoints come with CREATE DATABASE … STRATEGY file_copy; one by the clock would disturb what is timed.
    "checkpoint_timeout": "1h",
    "log_checkpoints": "off",
    # A vacuum or analyze of its own would change what is observed: its locks, reltuples, relpages.
    "autovacuum": "off",
    # Observation reads these counters.
    "track_counts": "on",
    "track_functions": "all",
    "track_activity_query_size": "16kB",
    # A migration that prepares a transaction would leave it behind after a rollback.
    "max_prepared_transactions": "0",
    # Every job has several sessions: its own, a watching one, one to cancel from.
    "max_connections": "60",
    # One transaction may restore or drop a schema of thousands of tables; the default gives out of shared memory.
    "max_locks_per_transaction": "512",
    # Not taken from what the operating system reserved for a server that matters.
    "huge_pages": "off",
    # In the data directory, so that a server that was killed leaves no segment in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    # Compilation would only blur the times of statements.
    "jit": "off",
    # The same text everywhere: times in UTC, messages in English.
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # A log that tells why a start failed and does not repeat the statements of migrations, which may hold secrets.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
}


def settings_of(
    binaries: Binaries, socket_directory: Path, stand_ins: Path | None, wanted: Mapping[str, str]
) -> dict[str, str]:
    """All settings of a server; what its major does not know is left out.

    Args:
        binaries: the server's programs.
        socket_directory: where the socket is made.
        stand_ins: a directory with an ``extension`` directory of our own, or None.
        wanted: what the caller sets; it wins.
    """
    settings = _ALWAYS | {"unix_socket_directories": '"{}"'.format(str(socket_directory).replace('"', '""'))}
    if binaries.has_library("pg_stat_statements"):
        # It knows the WAL and the buffers of a single statement, whatever other sessions do.
        settings |= {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.save": "off"}
        settings["pg_stat_statements.track"] = "all"
    if sys.platform == "linux":
        # A statement of a client that was killed ends too. Other systems refuse a value other than 0 before 15.
        settings["client_connection_check_interval"] = "500ms"
    if binaries.major >= 18:
        # Read within the session itself: no helper processes, which only slow the start of so small a server.
        settings["io_method"] = "sync"
        if stand_ins is not None:
            # The system's own directory first: a stand-in is only found where the real extension is absent.
            settings["extension_control_path"] = f"$system:{stand_ins}"
    return settings | dict(wanted)


def as_configuration(settings: Mapping[str, str]) -> str:
    """The settings as ``postgresql.conf`` has them (documentation, "Setting Parameters")."""
    escaped = {name: value.replace("\\", "\\\\").replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in escaped.items())


def locale_options(binaries: Binaries) -> tuple[str, ...]:
    """How ``initdb`` is told to sort by code point and to know the letters of Unicode, on any system.

    From 17 on the server brings such a locale itself; before, Linux's C library does, and elsewhere only ASCII letters
    have upper and lower case.
    """
    if binaries.major >= 17:
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ("--locale=C", "--lc-ctype=C.UTF-8") if sys.platform == "linux" else ("--locale=C",)
