from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.database.secret import MASK, Secret

texts = st.text(min_size=4).filter(lambda text: text not in MASK)


@given(texts)
def test_no_way_of_showing_it_shows_it(text: str) -> None:
    @dataclass
    class Holder:
        secret: Secret

    secret = Secret(text)
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>3}",
        "{}".format(*[secret]),
        repr(Holder(secret)),
        repr([secret]),
    ):
        assert MASK in shown
        assert text not in shown.replace("Holder(secret=", "")
    assert secret.reveal() == text
    assert asdict(Holder(secret))["secret"].reveal() == text


def test_it_is_not_pickled_nor_written_as_json() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(Secret("hush"), protocol)
    with pytest.raises(TypeError):
        json.dumps(Secret("hush"))
    with pytest.raises(TypeError):
        vars(Secret("hush"))


@given(st.text(), st.text())
def test_two_are_equal_when_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert hash(Secret(one)) == hash(Secret(one))
    assert copy.deepcopy(Secret(one)) == copy.copy(Secret(one)) == Secret(one)
    assert Secret(one) != one
    assert bool(Secret(one)) is bool(one)
