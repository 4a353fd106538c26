"""A mistyped connection string is offered again: no secret in it is shown, and none is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.errors import UsageError
from confiture_tui.service.masked_dsn import MaskedDsn

SHOWN = {
    "postgresql://app:s3cret@db:5433/shop?sslmode=require": "postgresql://app:***@db:5433/shop?sslmode=require",
    "postgresql://app:s3@cr/et@db/shop": "postgresql://app:***@db/shop",
    "postgresql://app@db:54e3/shop": "postgresql://app@db:***/shop",
    "postgresql://app:s3cret/shop": "postgresql://app:***/shop",
    "postgres://app@[::1]:5432/shop": "postgres://app@[::1]:5432/shop",
    "postgresql://db/x?password=s3cret&user=app": "postgresql://db/x?password=***&user=app",
    "postgresql://db/x?sslpassword=s3cret": "postgresql://db/x?sslpassword=***",
    "host=db user=app password=s3cret dbname=shp": "host=db user=app password=*** dbname=shp",
    "host=db password = 's3 cr\\'et' port=1": "host=db password = *** port=1",
    "host=db password='s3cret": "host=db password=***",
    "host db password s3cret": "host *** *** ***",
    "host=db oauth_client_secret=s3cret": "host=db oauth_client_secret=***",
    "service=shop": "service=shop",
    "": "",
}


@pytest.mark.parametrize("text", SHOWN)
def test_no_secret_is_shown_and_none_is_lost(text: str) -> None:
    masked = MaskedDsn.of(text)
    assert masked.shown == SHOWN[text]
    assert masked.filled_in(masked.shown) == text


def test_what_was_mended_keeps_the_password() -> None:
    masked = MaskedDsn.of("postgresql://app:s3cret@bd/shop")
    assert masked.filled_in("postgresql://app:***@db/shop") == "postgresql://app:s3cret@db/shop"
    assert masked.filled_in("postgresql://app:other@db/shop") == "postgresql://app:other@db/shop"


def test_a_mask_that_stands_for_nothing_is_told() -> None:
    with pytest.raises(UsageError, match="not clear"):
        MaskedDsn.of("host=db").filled_in("host=db password=***")


@given(st.text(min_size=1), st.sampled_from(["postgresql://app:{}@db/x", "host=db password={}", "{}", "postgres://{}"]))
def test_whatever_is_typed_comes_back_as_it_was(word: str, form: str) -> None:
    text = form.format(word)
    masked = MaskedDsn.of(text)
    if "***" not in text:
        assert masked.filled_in(masked.shown) == text


@given(st.text(st.characters(exclude_characters="@/?&=,' \t\n", exclude_categories=["C", "Z"]), min_size=8))
def test_a_password_is_never_shown(password: str) -> None:
    for text in (f"postgresql://app:{password}@db/x", f"postgresql://app:{password}/x", f"host=db password={password}"):
        if not password.isascii() or not password.isdigit():
            assert password not in MaskedDsn.of(text).shown
