"""The ways in which a connection fails: how libpq's or the server's words are recognised, what to say, what to do.

The texts are those of libpq, psycopg and the server as they write them in English; the tests make them happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a connection fails: how it is recognised, what to say, what to do."""

    sign: str
    """A regular expression, matched in the error's text without regard to case."""
    says: str
    """What happened; ``{where}``, ``{place}``, ``{role}``, ``{database}`` and ``{source}`` are filled in."""
    hint: str


CASES: Final = (
    Case(
        r"password authentication failed|wrong password|\bSASL\b.*authentication failed",
        "{where} refused the password of role {role} for database {database}.",
        "Check the password in {source} or in the password file, and that the role may log in with one.",
    ),
    Case(
        r"no password supplied",
        "{where} asks for a password of role {role} for database {database}, and {source} gives none.",
        "Put it into the password file (~/.pgpass, mode 0600) or into PGPASSWORD.",
    ),
    Case(
        r'role ".*" does not exist',
        "There is no role {role} on {where} (asked for database {database}).",
        "Create it (CREATE ROLE … LOGIN), or name another user in {source}.",
    ),
    Case(
        r"is not permitted to log in",
        "Role {role} may not log in on {where} (asked for database {database}).",
        "Give it the right (ALTER ROLE … LOGIN), or name another user in {source}.",
    ),
    Case(
        r'database ".*" does not exist|database ".*" has disappeared',
        "There is no database {database} on {where} (asked as role {role}).",
        "Create it (createdb), or name another database in {source}; 'psql -l' lists those that there are.",
    ),
    Case(
        r"permission denied for database",
        "Role {role} may not connect to database {database} on {where}.",
        "Give it the right (GRANT CONNECT ON DATABASE …), or name another user in {source}.",
    ),
    Case(
        r"not currently accepting connections",
        "Database {database} on {where} lets nobody in (asked as role {role}).",
        "It is a template, or somebody set ALLOW_CONNECTIONS to false; name another database in {source}.",
    ),
    Case(
        r"starting up|not yet accepting connections|in recovery mode|consistent recovery state",
        "{where} is starting up and lets nobody in yet (asked for database {database} as role {role}).",
        "Try again in a moment.",
    ),
    Case(
        r"the database system is shutting down",
        "{where} is shutting down (asked for database {database} as role {role}).",
        "Try again when it runs.",
    ),
    Case(
        r"too many (clients|connections)|remaining connection slots are reserved",
        "{where} has no free connection for role {role} to database {database}.",
        "Close some sessions, or raise the limit (max_connections, or CONNECTION LIMIT of the role or the database).",
    ),
    Case(
        r"no pg_hba\.conf entry.*(no encryption|SSL off)",
        "{where} does not let role {role} into database {database} without encryption.",
        "If the server asks for TLS, add sslmode=require to {source}; else pg_hba.conf needs a line for this client.",
    ),
    Case(
        r"no pg_hba\.conf entry|pg_hba\.conf rejects connection",
        "{where} has no rule that lets role {role} into database {database} from here.",
        "A line for this client is needed in pg_hba.conf; ask whoever runs the server.",
    ),
    Case(
        r"(peer|ident|GSSAPI|LDAP|PAM|RADIUS|certificate|OAuth.*) authentication failed",
        "{where} does not accept who we are as role {role} for database {database}.",
        "Name the role in {source} that pg_hba.conf expects for this client, or log in another way.",
    ),
    Case(
        r"server does not support SSL",
        "{where} speaks no TLS, and {source} asks for it (database {database}, role {role}).",
        "Set up TLS on the server, or ask for less with sslmode=prefer if the network is safe.",
    ),
    Case(
        r"certificate|SSL error|SSL SYSCALL error|TLS",
        "No trusted TLS connection to {where} could be made (database {database}, role {role}).",
        "Check sslmode, sslrootcert, sslcert and sslkey in {source}, and that the certificate names this host.",
    ),
    Case(
        r"could not translate host name|failed to resolve host|Name or service not known|nodename nor servname|idna",
        "There is no host that the name in {place} stands for (database {database}, role {role}).",
        "Check the host's name in {source}, and that this machine can look names up.",
    ),
    Case(
        r"definition of service|service file",
        "The service that {source} names cannot be found, so there was nothing to connect to.",
        "Check ~/.pg_service.conf, or the file that PGSERVICEFILE names.",
    ),
    Case(
        r"Connection refused",
        "Nobody listens at {place} (database {database}, role {role}).",
        "Check that the server runs, and host and port in {source}.",
    ),
    Case(
        r"\.s\.PGSQL\.\d+. failed: No such file or directory",
        "No server has its socket at {place} (database {database}, role {role}).",
        "Check that the server runs, and the socket's directory and port in {source}.",
    ),
    Case(
        r"Permission denied",
        "This user may not use {place} (database {database}, role {role}).",
        "Check the permissions of the socket's directory.",
    ),
    Case(
        r"timeout expired|timed out|connection timeout",
        "{where} did not answer in time (database {database}, role {role}).",
        "Check host and port in {source}, and that no firewall drops the packets; connect_timeout sets the seconds.",
    ),
    Case(
        r"No route to host|Network is (unreachable|down)|Host is down|address family",
        "{where} cannot be reached from this machine (database {database}, role {role}).",
        "Check the network, a VPN for instance, and the host in {source}.",
    ),
    Case(
        r"session is (not )?read-only|server is (not )?in hot standby|server is in recovery|read-write",
        "No server at {place} is of the kind that {source} asks for (database {database}, role {role}).",
        "Check target_session_attrs and the list of hosts.",
    ),
    Case(
        r"invalid \w+ value|invalid value for|must be|weak sslmode|invalid integer",
        "An option in {source} has a value that libpq refuses (for {where}, database {database}, role {role}).",
        "Check its options against the documentation of libpq, 'Parameter Key Words'.",
    ),
    Case(
        r"received invalid response|expected authentication request|unsupported frontend protocol",
        "What listens at {place} does not speak PostgreSQL's protocol (database {database}, role {role}).",
        "Check host and port in {source}.",
    ),
    Case(
        r"closed the connection unexpectedly|Connection reset by peer",
        "{where} closed the connection while we logged in (database {database}, role {role}).",
        "Look into the server's log; behind a proxy, check that it reaches its server.",
    ),
)
OTHERWISE: Final = Case(
    "", "No connection to {where} could be made (database {database}, role {role}).", "Check {source}."
)
