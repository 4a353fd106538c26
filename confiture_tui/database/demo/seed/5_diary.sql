-- The diary of the orders: each step that an order has taken, when, and who took it.
-- That a parcel was packed is no news any more once the courier has it; only the newest orders still say so.

INSERT INTO w_order_event (tenant_id, event_id, order_id, status, actor, detail, occurred_at)
SELECT o.tenant_id, (o.order_id - 1) * 5 + step.number, o.order_id, step.status, step.actor,
       CASE step.number WHEN 1 THEN jsonb_build_object('channel', o.channel) ELSE '{}' END,
       o.placed_at + step.after
FROM w_order o
JOIN (VALUES
    (1, 'placed'::order_status,    'customer', interval '0'),
    (2, 'paid'::order_status,      'bank',     interval '20 minutes'),
    (3, 'packed'::order_status,    'shop',     interval '20 hours'),
    (4, 'shipped'::order_status,   'courier',  interval '2 days'),
    (5, 'delivered'::order_status, 'courier',  interval '4 days')
) AS step (number, status, actor, after)
    ON step.status <= CASE o.status WHEN 'cancelled' THEN 'placed' ELSE o.status END
    AND (step.status <> 'packed' OR o.status = 'packed')
UNION ALL
SELECT tenant_id, (order_id - 1) * 5 + 2, order_id, status, 'customer', '{}', status_changed_at
FROM w_order
WHERE status = 'cancelled';

SELECT setval('w_order_event_id_seq', 150000);

-- What was loaded is measured before it is used, and the tools are put away.
ANALYZE tenant, w_customer, w_product, w_batch, w_order, w_order_line, w_payment;

DROP SCHEMA seed CASCADE;
