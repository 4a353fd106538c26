"""What libpq would demand of a server's certificate, as a context of the standard library.

Sources: PostgreSQL documentation, "SSL Support" of libpq (modes, default files) and "Parameter Key Words"; where they
say less than needed, what libpq does when it is given the same parameters.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

_WANTED: Final = frozenset(
    {
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslcertmode",
        "sslkey",
        "sslpassword",
        "sslcrl",
        "sslcrldir",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "sslnegotiation",
    }
)
_HOME: Final = ".postgresql"
_VERSIONS: Final = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}


def demands_of(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """The parameters of the connection that decide about TLS, as libpq names them, its defaults included."""
    options = {one.keyword.decode(): (one.val or b"").decode() for one in conn.pgconn.info}
    return {name: value for name, value in options.items() if name in _WANTED and value}


def context_of(demands: Mapping[str, str]) -> ssl.SSLContext:
    """A client's context with these demands.

    Raises:
        ConnectError: they cannot be met: a file is missing or cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["postgresql"])
    context.minimum_version = _VERSIONS.get(demands.get("ssl_min_protocol_version", "").lower(), ssl.TLSVersion.TLSv1_2)
    newest = _VERSIONS.get(demands.get("ssl_max_protocol_version", "").lower())
    if newest is not None:
        context.maximum_version = newest
    _verify_like_libpq(context, demands)
    _show_certificate(context, demands)
    return context


def _verify_like_libpq(context: ssl.SSLContext, demands: Mapping[str, str]) -> None:
    mode = demands.get("sslmode", "prefer")
    context.check_hostname = False  # it must be off before the certificate may go unverified
    context.verify_mode = ssl.CERT_NONE
    root = demands.get("sslrootcert") or str(Path.home() / _HOME / "root.crt")
    if root == "system":
        context.load_default_certs()
    elif Path(root).exists():
        _load("root certificate", root, lambda: context.load_verify_locations(root))
    elif mode in {"verify-ca", "verify-full"}:
        raise ConnectError(
            f"sslmode={mode} needs a root certificate, and there is no file {root}.",
            hint="Name the certificate of the server's authority with sslrootcert.",
        )
    else:
        # libpq: a file that is not there is no root certificate, and without one nothing is verified.
        return
    # libpq: with a root certificate at hand every mode verifies like "verify-ca" at least.
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = mode == "verify-full"  # with sslrootcert=system libpq accepts no weaker mode
    _load_revocations(context, demands)


def _load_revocations(context: ssl.SSLContext, demands: Mapping[str, str]) -> None:
    """Lists of revoked certificates; libpq does without those that are not there."""
    file, directory = demands.get("sslcrl", ""), demands.get("sslcrldir", "")
    if not file and not directory:
        file = str(Path.home() / _HOME / "root.crl")
    if file and Path(file).is_file():
        _load("revocation list", file, lambda: context.load_verify_locations(cafile=file))
    elif directory and Path(directory).is_dir():
        context.load_verify_locations(capath=directory)
    else:
        return
    context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN


def _show_certificate(context: ssl.SSLContext, demands: Mapping[str, str]) -> None:
    """Our own certificate, for a server that asks for one."""
    certificate = Path(demands.get("sslcert") or Path.home() / _HOME / "postgresql.crt")
    if demands.get("sslcertmode") == "disable" or not certificate.is_file():
        return
    key = demands.get("sslkey") or str(Path.home() / _HOME / "postgresql.key")
    # Without a password the library would ask for one on the terminal.
    password = demands.get("sslpassword", "")
    _load("client certificate", str(certificate), lambda: context.load_cert_chain(certificate, key, lambda: password))


def _load(what: str, path: str, load: Any) -> None:
    """Load a file.

    Raises:
        ConnectError: it cannot be read, or is not what it should be.
    """
    try:
        load()
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    else:
        return
    raise ConnectError(
        f"The {what} {path} cannot be used: {reason}.", hint="Check the file, its key, and who may read them."
    )
