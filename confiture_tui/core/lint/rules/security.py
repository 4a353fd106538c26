"""The rule of secrets that look as if they were kept in clear."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.access import PUBLIC
from confiture_tui.core.lint.model import Category, Severity, Violation
from confiture_tui.core.lint.objects import own, type_name
from confiture_tui.core.lint.patterns import Pattern
from confiture_tui.core.lint.rule import LintRule, RuleOptions

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation

_WORD = r"(?:^|_)(?:{})(?:$|_)"
_PASSWORDS = _WORD.format("password|passwd|pwd|passphrase|passcode")
_SECRETS = _WORD.format(
    "secret|api_?key|private_?key|secret_?key|client_secret|credentials?|credit_?card|card_?number|cvv|cvc|ssn|"
    "social_security(?:_number)?"
)
_TOKENS = _WORD.format("token|access_?token|refresh_?token|auth_?token|session_?key")

SHORTEST_HASH = 60
"""Characters of a bcrypt hash: what has less room than that for a password holds no hash of one."""

_TEXTS = frozenset({"text", "character varying", "character", "json", "jsonb", "name", "citext"})


class SecurityOptions(RuleOptions):
    """Which columns hold secrets. All patterns are searched for in the name, in small letters, words told apart by _.

    Attributes:
        passwords: names of passwords, which should be stored as hashes.
        secrets: names of what should be stored encrypted.
        tokens: names of what is dangerous only when everybody may read it.
        protected: names that say that what they hold is hashed, encrypted or no secret.
        report_unclear: also tell, as info, of passwords with room for a hash whose name does not say that it is one.
    """

    passwords: Pattern = _PASSWORDS
    secrets: Pattern = _SECRETS
    tokens: Pattern = _TOKENS
    protected: Pattern = (
        r"(?:^|_)(?:hash(?:ed)?|digest|sha\d*|bcrypt|argon2?\w*|scrypt|encrypted|enc|ciphertext|cipher|masked|redacted|"
        r"last_?(?:4|four)|expir\w*|at|on|date|count|type|kind|status|id|ids|uuid|ref|reference|name|hint|policy|"
        r"strength|version|length|required|enabled|changed|reset|attempts?|algorithm|salt|url|uri|path|arn|question)$"
        r"|^(?:is|has|needs|must|use|num|requires?|encrypted|hashed)_"
    )
    report_unclear: bool = False


class SecurityRule(LintRule):
    """Passwords and secrets that look as if they were kept in clear.

    The other rules of the category ``security`` each have an id of their own.
    """

    id = "security"
    category = Category.SECURITY
    severity = Severity.ERROR
    title = "A column looks like a password or a secret that is kept in clear."
    why = (
        "Whoever reads a backup reads it too. A password belongs in the database as a hash, and the shortest good hash "
        "has 60 characters: a column with less room holds none. Names alone prove nothing, so what only looks like it "
        "is a warning; what looks like it and may be read by PUBLIC is an error."
    )
    options = SecurityOptions
    bad = "CREATE TABLE account (id int PRIMARY KEY, password varchar(40), credit_card_number text);"
    good = (
        "CREATE TABLE account (id int PRIMARY KEY, password_hash text, password varchar(128),"
        "  password_changed_at timestamptz, api_key_digest bytea, secret_question_id int);"
    )

    def check(self, catalog: Catalog, options: SecurityOptions) -> Iterable[Violation]:
        """Columns of tables whose name and type together look like a secret in clear."""
        protected = re.compile(options.protected)
        patterns = [
            ("password", re.compile(options.passwords)),
            ("secret", re.compile(options.secrets)),
            ("token", re.compile(options.tokens)),
        ]
        for name, columns in own(catalog).columns_by_name.items():
            words = _words(name)
            what = next((what for what, pattern in patterns if pattern.search(words)), None)
            if what is None or protected.search(words) is not None:
                continue
            for table, column in columns:
                if (judgement := _judge(table, column, what, options)) is None:
                    continue
                severity, why = judgement
                message = f"{column.qualified_name} looks like a {what} in clear: {why}."
                yield self.within(table, "column", column.qualified_name, message, detail=what, severity=severity)


def _words(name: str) -> str:
    """A name's words in small letters, joined by ``_``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _judge(table: Relation, column: Column, what: str, options: SecurityOptions) -> tuple[Severity, str] | None:
    kind = type_name(column.type).rpartition(".")[2]
    if kind not in _TEXTS:
        return None
    public = any(
        grant.grantee == PUBLIC and "SELECT" in grant.privileges for grant in (*(table.acl or ()), *(column.acl or ()))
    )
    room = _room(column)
    if what == "password" and room is not None and room < SHORTEST_HASH:
        words = f"{column.type} has no room for a hash"
    elif what == "secret":
        words = f"its type is {column.type}, and its name does not say that it is encrypted"
    elif public:
        words = f"its type is {column.type}"
    elif what == "password" and options.report_unclear:
        return Severity.INFO, "there is room for a hash, but its name does not say that it is one"
    else:
        return None
    return (Severity.ERROR, f"{words}, and PUBLIC may read it") if public else (Severity.WARNING, words)


def _room(column: Column) -> int | None:
    """How many characters have room in it; ``None`` for any number."""
    found = re.search(r"\((\d+)\)", column.type)
    if found:
        return int(found[1])
    return 1 if column.type == "character" else None
