"""Time-outs mean what they mean to the server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.dry_run.time_limits import milliseconds

if TYPE_CHECKING:
    import psycopg


@pytest.mark.parametrize("text", ["0", "1", "500ms", "2s", "1.5s", "1min", "1.5 min", "3h", "24d", "2000us", " 7 ms "])
def test_a_text_is_read_as_the_server_reads_it(conn: psycopg.Connection[Any], text: str) -> None:
    conn.execute("SELECT set_config('lock_timeout', %s, false)", (text,))
    row = conn.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'").fetchone()
    assert row == (milliseconds(text),)


@pytest.mark.parametrize("limit", ["", "soon", "-1", "1 week", "1s2", "25d", -1, 2**31, timedelta(days=30)])
def test_what_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match="not a time-out"):
        milliseconds(limit)


@given(st.integers(0, 2**31 - 1))
def test_a_number_is_milliseconds(number: int) -> None:
    assert milliseconds(number) == milliseconds(f"{number}ms") == milliseconds(timedelta(milliseconds=number)) == number


def test_next_to_nothing_is_not_none() -> None:
    assert milliseconds("1us") == 1
