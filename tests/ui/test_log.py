from __future__ import annotations

import threading
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.events import Event, EventName, Level
from confiture_tui.ui.event_log import EventLog
from tests.support.fake_service import AT
from tests.ui import samples
from tests.ui.driving import running


def events(count: int, start: int = 0) -> list[Event]:
    return [Event(name=EventName.SERVER_NOTICE, message=f"event {n}", at=AT) for n in range(start, start + count)]


class TestRing:
    @given(capacity=st.integers(1, 20), batches=st.lists(st.integers(0, 30), max_size=6))
    def test_it_keeps_the_last_and_numbers_them_for_good(self, capacity: int, batches: list[int]) -> None:
        log = EventLog(capacity)
        everything: list[Event] = []
        for size in batches:
            new = events(size, len(everything))
            everything += new
            log.extend(new)
            assert log.end == len(everything)
            assert len(log) == min(capacity, len(everything))
            assert [log[serial] for serial in range(log.first, log.end)] == everything[-capacity:]

    def test_what_is_gone_is_an_error(self) -> None:
        log = EventLog(2)
        log.extend(events(3))
        for serial in (0, 3, -1):
            try:
                log[serial]
            except IndexError:
                continue
            raise AssertionError(serial)


class TestPane:
    async def test_it_follows_until_somebody_looks_back(self) -> None:
        async with running(samples.service()) as driver:
            view = driver.review.log_pane.view
            for event in events(100):
                driver.service.events(event)
            await driver.until_text("event 99")
            assert "following" in driver.text
            view.focus()
            await driver.press("k", "k")
            assert not driver.follows()
            await driver.until_text("paused")
            shown = log_lines(driver.text)
            for event in events(50, 100):
                driver.service.events(event)
            await driver.until_text("+50 new")
            assert log_lines(driver.text) == shown

    async def test_the_end_follows_again(self) -> None:
        for key in ("G", "end", "F"):
            async with running(samples.service()) as driver:
                view = driver.review.log_pane.view
                for event in events(100):
                    driver.service.events(event)
                await driver.until_text("event 99")
                view.focus()
                await driver.press("g")
                assert not driver.follows()
                await driver.until_text("event 0")
                await driver.press(key)
                await driver.until_text("event 99")
                assert driver.follows()
                driver.service.events(events(1, 500)[0])
                await driver.until_text("event 500")

    async def test_the_pill_can_be_clicked(self) -> None:
        async with running(samples.service()) as driver:
            for event in events(50):
                driver.service.events(event)
            await driver.until_text("event 49")
            driver.review.log_pane.view.focus()
            await driver.press("g")
            driver.service.events(events(1, 60)[0])
            await driver.until_text("+1 new")
            await driver.pilot.click("LogTitle", offset=(60, 0))
            await driver.until_text("event 60")

    async def test_what_is_read_stays_in_place_when_the_oldest_go(self) -> None:
        async with running(samples.service()) as driver:
            driver.app.event_log._capacity = 200
            for event in events(190):
                driver.service.events(event)
            await driver.until_text("event 189")
            view = driver.review.log_pane.view
            view.focus()
            await driver.press("k", "k", "k", "k")
            shown = log_lines(driver.text)
            for event in events(100, 190):
                driver.service.events(event)
            await driver.until_text("+100 new")
            assert log_lines(driver.text) == shown

    async def test_events_may_come_from_any_thread(self) -> None:
        async with running(samples.service()) as driver:
            batches = [events(500, 1000 * number) for number in range(4)]

            def emit(batch: list[Event]) -> None:
                for event in batch:
                    driver.service.events(event)

            threads = [threading.Thread(target=emit, args=(batch,)) for batch in batches]
            before = driver.app.event_log.end
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            await driver.until(lambda: driver.app.event_log.end == before + 2000)

    async def test_levels_are_words(self) -> None:
        service = samples.service()
        service.settings = replace(service.settings, log_level=Level.DEBUG)
        async with running(service) as driver:
            for level in Level:
                driver.service.events(Event(name=EventName.SERVER_NOTICE, message="x", level=level, at=AT))
            for word in ("· debug", "• info", "▲ warning", "✗ error"):
                await driver.until_text(word)

    async def test_the_settings_say_what_is_worth_a_line(self) -> None:
        async with running(samples.service()) as driver:
            driver.service.events(Event(name=EventName.SERVER_NOTICE, message="too small", level=Level.DEBUG, at=AT))
            driver.service.events(Event(name=EventName.SERVER_NOTICE, message="enough", level=Level.INFO, at=AT))
            await driver.until_text("enough")
            assert "too small" not in driver.text

    async def test_a_reader_that_left_gets_nothing(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await driver.press("q")
        service.events(events(1)[0])
        assert not driver.app._arrived


def log_lines(text: str) -> list[str]:
    """The lines without the scrollbar beside them."""
    return [line[:78].rstrip() for line in text.splitlines() if "server_notice" in line]
