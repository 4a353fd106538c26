"""The tables that the package ships say what the server at hand says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.effects.builtins import CastContext, CastMethod, builtins_of
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from tests.support.builtins import lines_of
from tests.support.extensions import EXTENSIONS, STAND_INS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

_LETTERS = {Volatility.IMMUTABLE: "i", Volatility.STABLE: "s", Volatility.VOLATILE: "v"}


def _internal(conn: psycopg.Connection[Any]) -> dict[str, str]:
    return {line[0]: line[1] for line in lines_of(conn)["types"]}


def test_every_function_of_the_server_is_there(conn: psycopg.Connection[Any]) -> None:
    own, names = builtins_of(conn.info.server_version), _internal(conn)
    for name, arguments, result, volatility, flags, defaults in lines_of(conn)["functions"]:
        types = tuple(names.get(one, one) for one in arguments.split(",")) if arguments else ()
        found = [one for one in own.functions(name) if one.arguments == types]
        assert len(found) == 1, (name, types)
        one = found[0]
        assert (one.result, _LETTERS[one.volatility]) == (names.get(result, result), volatility), name
        assert (one.strict, one.set_returning, one.variadic) == tuple(letter in flags for letter in "srv"), name
        assert (one.aggregate, one.window, one.defaults) == ("a" in flags, "w" in flags, int(defaults)), name


def test_every_operator_and_cast_is_there(conn: psycopg.Connection[Any]) -> None:
    own, names = builtins_of(conn.info.server_version), _internal(conn)
    lines = lines_of(conn)
    for name, left, right, result, volatility, strict in lines["operators"]:
        types = tuple(names[one] for one in (left, right) if one)
        found = [one for one in own.operators(name) if one.arguments == types]
        assert [(one.result, _LETTERS[one.volatility], one.strict) for one in found] == [
            (names[result], volatility, strict == "s")
        ]
    contexts = {"i": CastContext.IMPLICIT, "a": CastContext.ASSIGNMENT, "e": CastContext.EXPLICIT}
    methods = {"f": CastMethod.FUNCTION, "b": CastMethod.BINARY, "i": CastMethod.INOUT}
    casts = {
        (names[source], names[target]): (contexts[context], methods[method], volatility)
        for source, target, context, method, volatility in lines["casts"]
    }
    assert {key: (one.context, one.method, _LETTERS[one.volatility]) for key, one in own.casts.items()} == casts


def test_every_type_is_there(conn: psycopg.Connection[Any]) -> None:
    own, names = builtins_of(conn.info.server_version), _internal(conn)
    for internal, name, category, preferred, kind, element, subtype, reads, writes in lines_of(conn)["types"]:
        one = own.by_internal_name[internal]
        assert (one.name, one.category, one.preferred, one.kind) == (name, category, preferred == "p", kind)
        assert (one.element, one.subtype) == (names.get(element), names.get(subtype))
        assert (_LETTERS[one.input_volatility], _LETTERS[one.output_volatility]) == (reads, writes)


def test_without_a_server_all_majors_count() -> None:
    # date_trunc with a time zone was STABLE until 15, and is IMMUTABLE since.
    arguments = ("text", "timestamp with time zone", "text")

    def volatilities(version: int | None) -> set[Volatility]:
        return {one.volatility for one in builtins_of(version).functions("date_trunc") if one.arguments == arguments}

    assert volatilities(140000) == {Volatility.STABLE}
    assert volatilities(180000) == {Volatility.IMMUTABLE}
    assert volatilities(None) == {Volatility.STABLE, Volatility.IMMUTABLE}


def test_servers_beyond_the_tables_are_like_the_nearest() -> None:
    assert builtins_of(190000) is builtins_of(180002)
    assert builtins_of(130000) is builtins_of(140005)


@pytest.mark.parametrize("extension", sorted(set(EXTENSIONS) - STAND_INS))
def test_what_an_extension_brings_is_listed(extension: str, conn: psycopg.Connection[Any]) -> None:
    empty = Catalog.load(conn)
    conn.execute(f"CREATE EXTENSION {extension}".encode())
    there = Catalog.load(conn)
    made = simulate(Migration.from_sql(f"CREATE EXTENSION {extension}"), catalog=empty).after
    assert {one.qualified_name for one in made.types()} == {one.qualified_name for one in there.types.values()}
    hidden = ("internal", "cstring")
    routines = {
        (one.signature, one.result, one.volatility, one.strict, one.kind)
        for one in there.routines.values()
        if not any(word in f"{one.argument_types} {one.result}" for word in hidden)
    }
    assert {
        (one.signature, one.result, one.volatility, one.strict, one.kind) for one in made.routines_known()
    } == routines
    kept = {"type", "default", "context", "method", "result"}

    def others(listed: Iterable[object]) -> set[Any]:
        return {
            (one.kind, one.identity, *(each for each in one.properties if each[0] in kept))
            for one in listed
            if isinstance(one, OtherObject)
        }

    assert others(made.others()) == others(there.others.values())
