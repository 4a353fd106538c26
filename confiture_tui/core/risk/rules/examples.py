"""The tables that most examples work on."""

SHOP = """
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint, status text, code varchar(50),
    total numeric(10,2), quantity int, placed_at timestamp
);
INSERT INTO customers SELECT i, 'c' || i || '@example.com' FROM generate_series(1, 100) i;
INSERT INTO orders
SELECT i, 1 + i % 100, 'open', 'A' || i, i * 1.25, 1 + i % 10, timestamp '2026-01-01' + i * interval '1 hour'
FROM generate_series(1, 1000) i;
""".strip()
"""Customers and their orders, with rows."""

EVENTS = """
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, payload text) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO events SELECT i, date '2025-01-01' + i % 300, 'p' || i FROM generate_series(1, 1000) i;
""".strip()
"""A partitioned table with one partition, with rows."""
