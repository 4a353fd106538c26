"""CREATE and ALTER COLLATION."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.statements.creation import new_place
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.known_options import refuse_unknown_options
from confiture_tui.core.effects.statements.made_objects import addresses, make
from confiture_tui.core.effects.statements.options import option_text, truth
from confiture_tui.core.effects.statements.settings import major_of
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.catalog.models.dependencies import ObjectAddress
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_OWN = frozenset({"default", "C", "POSIX", "ucs_basic"})
_PLAIN = frozenset({"C", "POSIX"})
_BUILTIN = frozenset({"C", "C.UTF-8", "C.UTF8", "PG_UNICODE_FAST"})
_BUILTIN_SINCE = 17


def read_create_collation(node: Node, step: Step) -> None:
    """CREATE COLLATION: whether the server has a locale is its operating system's business.

    Raises:
        Refused: it cannot be as it is written.
    """
    parts = names_in(node, "defnames")
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    elements = [one["DefElem"] for one in node.get("definition", ())]
    refuse_unknown_options(step, "CREATE COLLATION", node.get("definition", []))
    given = {str(one["defname"]): one.get("arg") for one in elements}
    if len(given) < len(elements) or ("from" in given and len(given) > 1):
        step.refuse("42601", "conflicting or redundant options")
    if "locale" in given and given.keys() & {"lc_collate", "lc_ctype"}:
        step.refuse("42601", "LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE")
    if "from" in given:
        _refuse_source(step, [str(one) for one in names_in((given["from"] or {}).get("List", {}), "items")])
    else:
        _refuse_locale(step, given)
    identity = qualified_name(schema, parts[-1])
    make(step, "collation", identity, schema=schema, if_not_exists=bool(node.get("if_not_exists")))


def collation_named(step: Step, names: Sequence[str]) -> list[ObjectAddress]:
    """The address of a collation that a file or the user has made, under the name that is written."""
    for place in names[-2:-1] or step.now.path:
        found = addresses(step, "collation", qualified_name(place, names[-1]))
        if found:
            return found
    return []


def note_collation(step: Step, dependent: ObjectAddress, clause: Node | None) -> None:
    """Note that a column or an index needs the collation of its COLLATE."""
    for one in collation_named(step, names_in(clause, "collname")) if clause is not None else ():
        step.change.depend(dependent, one)


def _refuse_source(step: Step, names: Sequence[str]) -> None:
    if names[-1] == "default":
        step.refuse("42P17", 'collation "default" cannot be copied')
    require_named_collation(step, names)


def require_named_collation(step: Step, names: Sequence[str]) -> None:
    """See that there is a collation; those of the operating system's locales are not known here."""
    places = names[:-1] or list(step.now.path)
    if names[-1] in _OWN or any(step.now.other("collation", qualified_name(one, names[-1])) for one in places):
        return
    step.may_fail("42704", f'collation "{names[-1]}" may not exist')


def _refuse_locale(step: Step, given: dict[str, Node | None]) -> None:
    provider = option_text(given.get("provider")).lower() or "libc"
    major = major_of(step)
    if provider not in ("libc", "icu", "builtin") or (
        provider == "builtin" and major is not None and major < _BUILTIN_SINCE
    ):
        step.refuse("42P17", f"unrecognized collation provider: {provider}")
    if "deterministic" in given and not truth(given["deterministic"]) and provider != "icu":
        step.refuse("0A000", "nondeterministic collations not supported with this provider")
    locale = option_text(given.get("locale"))
    if provider == "icu":
        step.may_fail("0A000", "the server may be built without ICU")
        step.may_fail("22023", f'ICU may not know the locale "{locale}"')
        return
    if provider == "builtin":
        if "locale" not in given:
            step.refuse("42P17", 'parameter "locale" must be specified')
        if locale not in _BUILTIN:
            step.refuse("42809", f'invalid locale name "{locale}" for builtin provider')
        return
    for name in ("lc_collate", "lc_ctype"):
        if name not in given and "locale" not in given:
            step.refuse("42P17", f'parameter "{name}" must be specified')
        if (option_text(given.get(name)) or locale) not in _PLAIN:
            step.may_fail("22023", "the server's operating system may not have the locale")


def read_alter_collation(node: Node, step: Step) -> None:
    """ALTER COLLATION … REFRESH VERSION"""
    require_named_collation(step, names_in(node, "collname"))
