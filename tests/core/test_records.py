"""Records that are quickly made are those that the slow way makes."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest
from pydantic import ValidationError

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.records import changed, quickly_made, unchecked


@dataclass(frozen=True, slots=True)
class _Slow:
    name: str
    size: int = 3
    parts: list[str] = field(default_factory=list)


@quickly_made
@dataclass(frozen=True, slots=True)
class _Quick:
    name: str
    size: int = 3
    parts: list[str] = field(default_factory=list)


class _Model(FrozenModel):
    name: str
    size: int = 3
    parts: tuple[str, ...] = ()


def test_a_quick_record_is_made_as_any_dataclass_is() -> None:
    assert str(inspect.signature(_Quick)).count("=") == str(inspect.signature(_Slow)).count("=")
    made = _Quick("a")
    assert (made.name, made.size, made.parts) == ("a", 3, [])
    assert made.parts is not _Quick("a").parts
    assert _Quick("a", 4, parts=["x"]) == _Quick(name="a", size=4, parts=["x"])
    assert repr(made) == repr(_Slow("a")).replace("_Slow", "_Quick")
    with pytest.raises(TypeError, match=r"_Quick.__init__\(\) missing 1 required"):
        _Quick()  # type: ignore[call-arg]


def test_a_quick_record_is_as_frozen_copied_and_pickled_as_any() -> None:
    made = _Quick("a", 4)
    with pytest.raises(FrozenInstanceError):
        made.size = 5  # type: ignore[misc]
    assert replace(made, size=5) == _Quick("a", 5)
    assert copy.deepcopy(made) == made == pickle.loads(pickle.dumps(made))


def test_an_unchecked_model_is_the_model() -> None:
    made, checked = unchecked(_Model)(name="a", parts=("x",)), _Model(name="a", parts=("x",))
    assert type(made) is _Model
    assert made == checked
    assert hash(made) == hash(checked)
    assert made.model_dump_json() == checked.model_dump_json() == '{"name":"a","size":3,"parts":["x"]}'
    assert copy.deepcopy(made) == checked == pickle.loads(pickle.dumps(made))
    assert made.model_copy(update={"size": 4}) == _Model(name="a", size=4, parts=("x",))
    with pytest.raises(ValidationError):
        made.size = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        unchecked(_Model)(nam="a")  # type: ignore[call-arg]


def test_a_changed_model_leaves_the_first_as_it_was() -> None:
    first = _Model(name="a")
    second = changed(first, size=4)
    assert (first, second) == (_Model(name="a"), _Model(name="a", size=4))
    assert second.model_fields_set == {"name", "size"}
