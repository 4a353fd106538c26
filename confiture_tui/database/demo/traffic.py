"""The shops' application at work on the demo's live database: so that there is somebody whom a lock keeps waiting."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.connection import connect
from confiture_tui.errors import Cancelled, ConnectError
from confiture_tui.events import Event, EventName, Level, Sink, discard

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn

APPLICATION_NAME: Final = "pantry"
"""How its sessions are called in ``pg_stat_activity``."""
CONNECTIONS: Final = 3
RATE: Final = 24.0
"""Transactions a second, of all connections together, as long as nothing keeps them waiting."""
KEPT: Final = 30
"""Orders that a connection has placed and keeps; for each further one it deletes its oldest."""

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 3.0
_STOP_S: Final = 0.3
"""How long ``stop`` waits: an idle session ends at once, one that waits for a lock when its statement is cancelled."""

_SHOPS = "SELECT tenant_id::text FROM tenant ORDER BY slug"
_CUSTOMERS = "SELECT customer_id FROM w_customer WHERE tenant_id = %s ORDER BY customer_id LIMIT 100"
_PRODUCTS = """
SELECT p.product_id, p.price_cents, (
    SELECT b.batch_id FROM w_batch b
    WHERE b.tenant_id = p.tenant_id AND b.product_id = p.product_id ORDER BY b.cooked_on DESC LIMIT 1
)
FROM w_product p
WHERE p.tenant_id = %s AND p.is_sold
"""
_LIST = """
SELECT order_number, customer_name, status, jar_count, total_cents
FROM r_order_summary WHERE tenant_id = %s ORDER BY placed_at DESC LIMIT 20
"""
_LOOK_UP = (
    "SELECT customer_name, order_count, spent_cents FROM r_customer_overview WHERE tenant_id = %s AND customer_id = %s"
)
_PLACE = """
INSERT INTO w_order (tenant_id, order_number, customer_id, channel, shipping_cents) VALUES (%s, %s, %s, 'web', 490)
RETURNING order_id
"""
_LINE = """
INSERT INTO w_order_line (tenant_id, order_id, line_number, product_id, batch_id, jar_count, unit_price_cents)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_PAY = """
INSERT INTO w_payment (tenant_id, order_id, method, amount_cents, reference)
SELECT tenant_id, order_id, 'card', total_cents, order_number
FROM r_order_summary WHERE tenant_id = %s AND order_id = %s
"""
_STEP = "UPDATE w_order SET status = %s, status_changed_at = now() WHERE tenant_id = %s AND order_id = %s"
_FORGET_PAYMENT = "DELETE FROM w_payment WHERE tenant_id = %s AND order_id = %s"
_FORGET = "DELETE FROM w_order WHERE tenant_id = %s AND order_id = %s"

_STEPS: Final = ("paid", "packed", "shipped", "delivered")
_Tell = Callable[[str | None, str], None]


@dataclass(slots=True)
class _Order:
    """An order of our own, and how many steps it has taken."""

    shop: str
    order_id: int
    steps: int = 0


class Traffic:
    """A few connections that read and write orders, each on a thread of its own, until they are stopped.

    They wait for locks as an application does, without any time-out; after an error they go on, and when their
    session is ended they come back after a pause. What they write is bounded by ``KEPT``.

    Args:
        dsn: the demo's live database, as its owner.
        sink: where it is told that the application has errors, and that they are over.
    """

    def __init__(self, dsn: Dsn, *, sink: Sink = discard) -> None:
        self._sink = sink
        self._scope = CancelScope()
        self._stopped = threading.Event()
        self._clerks = [_Clerk(dsn, number, self._scope, self._stopped, self._tell) for number in range(CONNECTIONS)]
        self._threads: list[threading.Thread] = []
        self._telling = threading.Lock()
        self._told: set[str] = set()

    @property
    def transactions(self) -> int:
        """How many transactions have been committed."""
        return sum(clerk.transactions for clerk in self._clerks)

    def start(self) -> None:
        """Begin, and return at once."""
        for clerk in self._clerks:
            thread = threading.Thread(target=clerk.work, name=f"demo-traffic-{clerk.number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._sink(
            Event(
                name=EventName.DEMO_TRAFFIC,
                message=f"The shops are open: {CONNECTIONS} sessions named {APPLICATION_NAME} read and write orders, "
                f"{RATE:.0f} transactions a second.",
                data={"connections": CONNECTIONS, "rate": RATE},
            )
        )

    def stop(self) -> None:
        """End the sessions; takes less than half a second. One that does not end by then ends with its server."""
        self._stopped.set()
        self._scope.request()
        deadline = time.monotonic() + _STOP_S
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < deadline:
            self._scope.cancel()
            for thread in self._threads:
                thread.join(0.02)

    def _tell(self, state: str | None, message: str) -> None:
        """An error of this SQLSTATE came up, or, with ``None``, a transaction went well again: each is told once."""
        with self._telling:
            if self._stopped.is_set() or (state in self._told if state is not None else not self._told):
                return
            if state is None:
                self._told.clear()
            else:
                self._told.add(state)
        level = Level.INFO if state is None else Level.WARNING
        self._sink(Event(name=EventName.DEMO_TRAFFIC, message=message, level=level, data={"sqlstate": state}))


class _Clerk:
    """One connection of the application; its shops are no other clerk's, so that they never wait for each other."""

    def __init__(self, dsn: Dsn, number: int, scope: CancelScope, stopped: threading.Event, tell: _Tell) -> None:
        self.number = number
        self.transactions = 0
        self._dsn = dsn
        self._scope = scope
        self._stopped = stopped
        self._tell = tell
        # The same choices in every demo, at moments that are not.
        self._random = random.Random(number)
        self._orders: deque[_Order] = deque()

    def work(self) -> None:
        """The thread: sell jam until it is stopped."""
        import psycopg

        pause = _FIRST_PAUSE_S
        while not self._stopped.is_set():
            before = self.transactions
            try:
                with connect(self._dsn, application_name=APPLICATION_NAME) as conn, self._scope.guard(conn):
                    self._sell(conn)
            except Cancelled:
                return
            except (psycopg.Error, ConnectError) as error:
                state = getattr(error, "sqlstate", None) or "08006"
                diagnosis = getattr(error, "diag", None)
                said = (diagnosis.message_primary if diagnosis else None) or str(error).splitlines()[0]
                self._tell(state, f"The shops' application fails with {state}: {said}")
            pause = _FIRST_PAUSE_S if self.transactions > before else min(pause * 2, _LONGEST_PAUSE_S)
            self._stopped.wait(pause * self._random.uniform(0.5, 1.0))

    def _sell(self, conn: psycopg.Connection[Any]) -> None:
        """One transaction after the other; an error ends it, and the session with it, as in a careful application."""
        shops = [shop for (shop,) in conn.execute(_SHOPS)][self.number :: CONNECTIONS]
        customers = {shop: [row[0] for row in conn.execute(_CUSTOMERS, (shop,))] for shop in shops}
        products = {shop: conn.execute(_PRODUCTS, (shop,)).fetchall() for shop in shops}
        while not self._stopped.wait(self._random.uniform(0.4, 1.6) * CONNECTIONS / RATE):
            shop = self._random.choice(shops)
            match self._random.randrange(10):
                case 0 | 1 | 2 | 3:
                    with conn.transaction():
                        conn.execute(_LIST, (shop,)).fetchall()
                case 4 | 5:
                    with conn.transaction():
                        conn.execute(_LOOK_UP, (shop, self._random.choice(customers[shop]))).fetchall()
                case 6 | 7:
                    self._place(conn, shop, self._random.choice(customers[shop]), products[shop])
                case _:
                    self._go_on(conn)
            self.transactions += 1
            self._tell(None, "The shops' application works again.")

    def _place(self, conn: psycopg.Connection[Any], shop: str, customer: int, products: list[tuple[Any, ...]]) -> None:
        """A customer orders one to three preserves; the oldest of our own orders makes room."""
        oldest = self._orders[0] if len(self._orders) >= KEPT else None
        with conn.transaction():
            if oldest is not None:
                conn.execute(_FORGET_PAYMENT, (oldest.shop, oldest.order_id))
                conn.execute(_FORGET, (oldest.shop, oldest.order_id))
            number = f"WEB-{uuid.uuid4().hex[:12].upper()}"
            row = conn.execute(_PLACE, (shop, number, customer)).fetchone()
            assert row is not None, "an INSERT … RETURNING of one row returns one row"
            for line, (product, price, batch) in enumerate(
                self._random.sample(products, self._random.randint(1, 3)), 1
            ):
                conn.execute(_LINE, (shop, row[0], line, product, batch, self._random.randint(1, 4), price))
        # Only what is committed is remembered: after an error the same order is the oldest again.
        if oldest is not None:
            self._orders.popleft()
        self._orders.append(_Order(shop, row[0]))

    def _go_on(self, conn: psycopg.Connection[Any]) -> None:
        """One of our own orders takes its next step."""
        order = next((one for one in self._orders if one.steps < len(_STEPS)), None)
        if order is None:
            return
        with conn.transaction():
            if order.steps == 0:
                conn.execute(_PAY, (order.shop, order.order_id))
            conn.execute(_STEP, (_STEPS[order.steps], order.shop, order.order_id))
        order.steps += 1
