-- Thirty thousand orders, about three lines each, and the money that came in for them.
-- All but the newest have run their course: delivered, or cancelled (one in thirty).

INSERT INTO w_order
    (tenant_id, order_id, order_number, customer_id, status, channel, delivery_note, shipping_cents, placed_at,
     status_changed_at)
OVERRIDING SYSTEM VALUE
SELECT seed.tenant_id(seed.tenant_of(customer)), n,
       (ARRAY['BER', 'KEI', 'DAM', 'MIR', 'COP', 'FIC', 'NAR', 'LIN'])[seed.tenant_of(customer)]
           || to_char(placed_at AT TIME ZONE 'UTC', '-YYYY-') || lpad(n::text, 6, '0'),
       customer, status, channel,
       CASE seed.pick(n, 31, 30)
           WHEN 0 THEN 'Please ring twice.'
           WHEN 1 THEN 'With the neighbour on the left, not the one on the right.'
           WHEN 2 THEN 'The dog is friendly. He likes quince.'
           WHEN 3 THEN 'Leave it in the shed.'
       END,
       CASE WHEN channel = 'market' THEN 0 WHEN seed.is_wholesale(customer) THEN 1290 ELSE 490 END,
       placed_at,
       placed_at + CASE status
           WHEN 'placed' THEN interval '0'
           WHEN 'paid' THEN interval '20 minutes'
           WHEN 'packed' THEN interval '20 hours'
           WHEN 'shipped' THEN interval '2 days'
           WHEN 'delivered' THEN interval '4 days'
           ELSE interval '5 hours'
       END
FROM (
    -- Whoever was a customer by then; those who have been one for longer order more often.
    SELECT n,
           1 + ((6000 + n / 5 - 1)::bigint * seed.pick(n, 32, 1000) * (500 + seed.pick(n, 33, 500)) / 1000000)::integer
               AS customer,
           seed.moment(n) AS placed_at,
           (ARRAY['web', 'web', 'web', 'market', 'telephone'])[1 + seed.pick(n, 34, 5)] AS channel,
           CASE
               WHEN seed.pick(n, 35, 30) = 0 THEN 'cancelled'
               WHEN n > 29930 THEN 'placed'
               WHEN n > 29800 THEN 'paid'
               WHEN n > 29700 THEN 'packed'
               WHEN n > 29500 THEN 'shipped'
               ELSE 'delivered'
           END::order_status AS status
    FROM generate_series(1, 30000) AS n
    OFFSET 0  -- Each choice is made once, not once for every column that it decides.
) AS a;

-- The batch is one of the last three pots that had been cooked by the day of the order.
INSERT INTO w_order_line
    (tenant_id, order_line_id, order_id, line_number, product_id, batch_id, jar_count, unit_price_cents)
OVERRIDING SYSTEM VALUE
SELECT o.tenant_id, line, o.order_id, line - o.first_line + 1, p.product_id,
       (p.product_id - 1) * 40 + 1 + (o.day - 20) / 22 - seed.pick(line, 41, 3),
       (1 + seed.pick(line, 42, 4)) * CASE WHEN seed.is_wholesale(o.customer_id::integer) THEN 6 ELSE 1 END,
       p.price_cents
FROM (
    SELECT tenant_id, order_id, customer_id, (order_id::integer - 1) * 5 + 1 AS first_line,
           seed.pick(order_id::integer, 43, 5) AS more_lines,
           seed.tenant_of(customer_id::integer) AS tenant,
           (placed_at AT TIME ZONE 'UTC')::date - date '2024-06-01' AS day
    FROM w_order
) AS o
CROSS JOIN LATERAL generate_series(o.first_line, o.first_line + o.more_lines) AS line
JOIN w_product p
    ON p.tenant_id = o.tenant_id AND p.product_id = (o.tenant - 1) * 60 + 1 + seed.pick(line, 44, 60);

INSERT INTO w_payment (tenant_id, payment_id, order_id, method, amount_cents, paid_at, reference)
OVERRIDING SYSTEM VALUE
SELECT o.tenant_id, o.order_id, o.order_id,
       CASE WHEN o.channel = 'market' THEN 'cash' WHEN seed.pick(o.order_id::integer, 51, 4) = 0 THEN 'transfer' ELSE 'card' END,
       l.goods_cents + o.shipping_cents, o.placed_at + interval '20 minutes',
       'PAY' || lpad((seed.pick(o.order_id::integer, 52, 100000000))::text, 8, '0') || lpad(o.order_id::text, 6, '0')
FROM w_order o
JOIN (
    SELECT order_id, sum(jar_count * unit_price_cents) AS goods_cents FROM w_order_line GROUP BY order_id
) AS l ON l.order_id = o.order_id
WHERE o.status NOT IN ('placed', 'cancelled');

SELECT setval(pg_get_serial_sequence('w_order', 'order_id'), 30000);
SELECT setval(pg_get_serial_sequence('w_order_line', 'order_line_id'), 150000);
SELECT setval(pg_get_serial_sequence('w_payment', 'payment_id'), 30000);
