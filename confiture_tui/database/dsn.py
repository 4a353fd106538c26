"""Where a database is and how to log in: connection strings as libpq reads them, and who gave them.

libpq itself parses them (``PQconninfoParse`` through psycopg), so that whatever ``psql`` accepts is accepted here:
URIs and key=value strings, several hosts, ``service``, ``passfile``. psycopg is imported when a string is first looked
into, not when it is found: the first screen does not wait for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from confiture_tui.database.secret import MASK, Secret
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

URI_SCHEMES: Final = ("postgresql://", "postgres://")
"""The two that libpq knows (documentation, "Connection URIs")."""

_LIBPQ_VARIABLES: Final = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER")
"""libpq's variables that say *which* database is meant; PGPASSWORD or PGSSLMODE alone do not."""

_SHOWN_PARAMETERS: Final = ("service", "hostaddr", "sslmode", "target_session_attrs")
"""What is shown beside host, port, database and user. A list of what may be shown, not of what may not: a parameter
that a later libpq adds can be a secret (``sslpassword``, ``oauth_client_secret``, ``scram_client_key`` are)."""


_USUAL_PORT: Final = "5432"


@dataclass(frozen=True)
class Dsn:
    """A connection string of libpq. Its ``repr`` and ``str`` never show the string, only ``display()`` of it does.

    Attributes:
        source: who gave it, as the user knows it: ``--dsn``, ``CONFITURE_DATABASE_URL``, a file's path.
        secret: the string, as it was given.
    """

    source: str
    secret: Secret = field(repr=False)

    @classmethod
    def of(cls, text: str, *, source: str) -> Dsn:
        """A connection string that is not looked into yet: what is wrong with it comes out at its first use."""
        return cls(source, Secret(text))

    @classmethod
    def of_parameters(cls, parameters: Mapping[str, str], *, source: str) -> Dsn:
        """A connection string made of libpq's parameters (``host``, ``port``, ``dbname``, …)."""
        return cls.of(" ".join(f"{name}={_quoted(value)}" for name, value in parameters.items()), source=source)

    def conninfo(self) -> str:
        """The string with everything in it, password included: for ``psycopg.connect`` and libpq's tools only.

        Raises:
            UsageError: libpq cannot read it. The message does not repeat any part of it.
        """
        self.parameters()
        return self.secret.reveal()

    def parameters(self) -> dict[str, str]:
        """libpq's parameters that the string sets, the password among them: not for showing.

        Raises:
            UsageError: libpq cannot read it. The message does not repeat any part of it.
        """
        # The string and what is in it stay out of this frame's variables: a traceback may be printed with them.
        parsed, complaint = _read(self.secret)
        if complaint:
            raise UsageError(f"The connection string from {self.source} cannot be used: {complaint}.", hint=_ADVICE)
        return parsed

    def password(self) -> Secret:
        """The password that the string holds; an empty secret when it holds none."""
        return Secret(self.parameters().get("password", ""))

    def display(self, *, masked: bool = True) -> str:
        """The string as a URI that may be shown: host, port, database, user; the password as ``***``.

        Without ``masked`` the password is left out altogether, so that the string can be used where libpq finds one;
        and so is the usual port where nobody gave it.

        What the string leaves open is filled in from libpq's own variables and service file, as libpq will do. What
        libpq does anyway is not shown.
        """
        from psycopg import pq

        given = self.parameters()
        options = pq.Conninfo.get_defaults()
        defaults = {
            option.keyword.decode(): option.val.decode(errors="replace") for option in options if option.val is not None
        }
        # What a variable says here, it need not say where the string is used.
        anywhere = {option.keyword.decode() for option in options if option.val == option.compiled}
        known = {name: defaults[name] for name in ("host", "hostaddr", "port", "dbname", "user") if name in defaults}
        if not masked and known.get("port") == _USUAL_PORT:
            del known["port"]
        if "service" in given:
            # The service file fills these in, before libpq's variables do: they are not known here.
            known = {}
        if "dbname" not in given and "user" in given:
            known.pop("dbname", None)
        merged = known | {name: value for name, value in given.items() if value}
        userinfo = quote(merged.get("user", ""), safe="") + (f":{MASK}" if masked and given.get("password") else "")
        host = merged.get("host", merged.get("hostaddr", ""))
        query = {
            name: given[name]
            for name in _SHOWN_PARAMETERS
            if given.get(name) and (name == "service" or name not in anywhere or given[name] != defaults.get(name))
        }
        if host and all(one.startswith(("/", "@")) for one in host.split(",")):
            query.pop("sslmode", None)  # libpq encrypts no local socket, whatever it says
        authority = ""
        if any(one.startswith(("/", "@")) for one in host.split(",")):
            query = {"host": host} | ({"port": merged["port"]} if "port" in merged else {}) | query
        else:
            authority = _hosts_and_ports(host, merged.get("port", ""))
        shown = (
            f"postgresql://{userinfo + '@' if userinfo else ''}{authority}/{quote(merged.get('dbname', ''), safe='')}"
        )
        if query:
            shown += "?" + "&".join(f"{name}={quote(value, safe='/,:')}" for name, value in query.items())
        return shown

    def with_dbname(self, name: str) -> Dsn:
        """The same server, role and options with another database."""
        return Dsn.of_parameters(self.parameters() | {"dbname": name}, source=self.source)

    def __str__(self) -> str:
        return f"{self.source} ({MASK})"


_ADVICE: Final = (
    "It is a URI such as postgresql://user:password@host:5432/database, or key=value words such as "
    "'host=… dbname=… user=…'; in a URI each of %, @, / and : within the password is written percent-encoded "
    "(@ is %40)."
)


def resolve_dsn(
    *,
    dsn: str | None,
    environ: Mapping[str, str],
    environment_file_url: str | None,
    environment_file: Path | None,
    dsn_source: str = "--dsn",
) -> Dsn | None:
    """The connection string to use, or None when nobody gives one.

    The first of these that is there and not empty: ``--dsn``; ``CONFITURE_DATABASE_URL``; ``DATABASE_URL``; the
    environment file's ``database_url``; libpq's own variables, if one of them says which database is meant.

    Args:
        dsn: the value of ``--dsn``.
        environ: the environment. libpq reads its own variables from the process's environment, not from here: this
            only decides whether they are to be used.
        environment_file_url: the ``database_url`` of the environment file.
        environment_file: that file's path, to name it.
        dsn_source: who gave ``dsn``, where that was not the command line.
    """
    if dsn:
        return Dsn.of(dsn, source=dsn_source)
    for variable in ("CONFITURE_DATABASE_URL", "DATABASE_URL"):
        if environ.get(variable):
            return Dsn.of(environ[variable], source=variable)
    if environment_file_url:
        source = str(environment_file) if environment_file is not None else "the environment file"
        return Dsn.of(environment_file_url, source=source)
    found = [variable for variable in _LIBPQ_VARIABLES if environ.get(variable)]
    if found:
        return Dsn.of("", source=f"libpq's own variables ({', '.join(found)})")
    return None


def _quoted(value: str) -> str:
    """A value as a key=value string writes it (documentation, "Keyword/Value Connection Strings")."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _hosts_and_ports(hosts: str, ports: str) -> str:
    """``a:5432,b:5433``: one port for all hosts, or one for each (documentation, "Specifying Multiple Hosts")."""
    names = hosts.split(",")
    numbers = ports.split(",") if ports else [""]
    if len(numbers) == 1:
        numbers = numbers * len(names)
    pairs = zip(names, numbers, strict=False)
    return ",".join(_host(name) + (f":{port}" if port and name else "") for name, port in pairs)


def _host(name: str) -> str:
    """A host name or address as a URI writes it."""
    return f"[{name}]" if ":" in name else quote(name, safe="")


def _read(secret: Secret) -> tuple[dict[str, str], str]:
    """The parameters in a string, or else what is wrong with it, in words that repeat nothing of it.

    libpq's own message is not passed on: it quotes what it could not read, which may be half of a password.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parsed = conninfo_to_dict(secret.reveal())
    except (psycopg.Error, UnicodeError) as error:
        return {}, _complaint_about(str(error))
    parameters = {name: str(value) for name, value in parsed.items() if value is not None}
    complaint = _misread_password(secret.reveal()) or _impossible_port(parameters)
    return ({}, complaint) if complaint else (parameters, "")


def _complaint_about(libpq_says: str) -> str:
    """What libpq could not read, in words that repeat nothing of the string."""
    for sign, words in (
        ("percent-encoded", "a % in it is not followed by two hexadecimal digits, or by 00"),
        ('missing "="', 'a word in it has no "="'),
        ("unterminated quoted string", "a quote in it is not closed"),
        ("invalid connection option", "it sets an option that libpq does not know"),
        ("invalid URI query parameter", "it sets an option that libpq does not know"),
        ("query parameter", "its part after the ? is not made of name=value pairs"),
        ("IPv6", "its IPv6 address is not closed with ]"),
    ):
        if sign in libpq_says:
            return words
    return "libpq cannot read it"


def _misread_password(text: str) -> str:
    """A complaint if a URI's password holds a character that ends it too early.

    libpq then takes the rest of the password for a host, a port or a database, and its messages would show it.
    """
    if not text.startswith(URI_SCHEMES):
        return ""
    rest = text.split("://", 1)[1]
    userinfo = re.match(r"[^@/]*@", rest)  # as libpq looks for it: up to the first of the two
    rest = rest[userinfo.end() :] if userinfo else rest
    # An unencoded @ later on belongs to a password that was cut short, unless it begins an abstract socket's name.
    if "@" in rest.replace("host=@", "host="):
        return "its user or password holds a character that must be percent-encoded"
    return ""


def _impossible_port(parsed: Mapping[str, str]) -> str:
    """A complaint if a port is no port: with a password that holds a slash, libpq reads the password as the port."""
    for port in parsed.get("port", "").split(","):
        if port and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
            return "its port is not a number from 1 to 65535"
    return ""
