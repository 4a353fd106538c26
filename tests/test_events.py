"""Events: what is written can be read back, whatever is in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.events import Event, EventName, EventStream, Level, with_context

texts = st.text()
events = st.builds(
    Event,
    name=st.sampled_from(EventName),
    message=texts,
    level=st.sampled_from(Level),
    at=st.datetimes(timezones=st.just(UTC)),
    migration=st.none() | texts,
    phase=st.none() | texts,
    statement=st.none() | st.integers(1, 10_000),
    duration_ms=st.none() | st.floats(0, 1e9),
    rows_affected=st.none() | st.integers(0, 2**60),
    data=st.dictionaries(texts, texts | st.integers() | st.booleans()),
)


@given(events)
def test_a_record_is_json_and_gives_the_event_back(event: Event) -> None:
    assert Event.from_record(json.loads(json.dumps(event.to_record()))) == event


@pytest.mark.parametrize("broken", [{"event": "no_such_event"}, {"level": "loud"}, {"at": "yesterday"}])
def test_a_record_that_cannot_be_read_is_refused(broken: dict[str, str]) -> None:
    record = Event(name=EventName.CONNECTED, message="there", at=datetime.now(UTC)).to_record()
    with pytest.raises((ValueError, KeyError)):
        Event.from_record(record | broken)


def test_context_fills_only_what_is_open() -> None:
    seen: list[Event] = []
    sink = with_context(seen.append, migration="007", phase="verdict")
    sink(Event(name=EventName.STATEMENT_START, message="", phase="observation"))
    assert (seen[0].migration, seen[0].phase) == ("007", "observation")


def test_unsubscribing_ends_the_reading() -> None:
    stream, seen = EventStream(), list[Event]()
    unsubscribe = stream.subscribe(seen.append)
    stream(Event(name=EventName.CONNECTED, message="1"))
    unsubscribe()
    unsubscribe()
    stream(Event(name=EventName.CONNECTED, message="2"))
    assert [event.message for event in seen] == ["1"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE ROLE clerk PASSWORD 'open sesame'",
        "ALTER ROLE clerk ENCRYPTED PASSWORD E'open \\'sesame'",
        "ALTER ROLE clerk PASSWORD $x$open sesame$x$",
        "CREATE SUBSCRIPTION s CONNECTION 'host=db password=sesame' PUBLICATION p",
        "could not connect to postgresql://clerk:sesame@db/shop",
    ],
)
def test_no_reader_gets_a_password(text: str) -> None:
    stream, seen = EventStream(), list[Event]()
    stream.subscribe(seen.append)
    stream(Event(name=EventName.STATEMENT_START, message=text, data={"sql": [text], "notices": {"1": text}}))
    assert "sesame" not in json.dumps(seen[0].to_record())
    assert seen[0].message.startswith(text[:12])


def test_what_holds_no_password_is_handed_on_as_it_is() -> None:
    stream, seen = EventStream(), list[Event]()
    stream.subscribe(seen.append)
    event = Event(name=EventName.CONNECTED, message="see https://example.org, no password", data={"locks": ["a"]})
    stream(event)
    assert seen == [event]
