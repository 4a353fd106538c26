-- What the people in the shop print and pin to the wall: what to pack today, whom to telephone about wholesale,
-- who got jars out of a batch when it has to be called back, and which jam sold how well.

CREATE VIEW v_packing_list AS
SELECT o.tenant_id, o.order_id, o.order_number, o.placed_at, c.full_name AS customer_name,
       c.street, c.postcode, c.city, o.delivery_note,
       l.line_number, l.jar_count, p.name AS product_name, b.code AS batch_code, b.best_before
FROM w_order o
JOIN w_customer c ON c.tenant_id = o.tenant_id AND c.customer_id = o.customer_id
JOIN w_order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.order_id
JOIN w_product p ON p.tenant_id = l.tenant_id AND p.product_id = l.product_id
JOIN w_batch b ON b.tenant_id = l.tenant_id AND b.batch_id = l.batch_id
WHERE o.status = 'paid';

COMMENT ON VIEW v_packing_list IS 'The jars of the orders that are paid and not yet packed.';

CREATE VIEW v_wholesale_contact AS
SELECT tenant_id, customer_id, company, full_name AS contact, email, phone, fax, city
FROM w_customer
WHERE kind = 'wholesale';

COMMENT ON VIEW v_wholesale_contact IS 'The wholesale desk''s address book.';

CREATE VIEW v_batch_recipient AS
SELECT b.tenant_id, b.batch_id, b.code AS batch_code, o.order_number, c.full_name AS customer_name, c.email, l.jar_count
FROM w_batch b
JOIN w_order_line l ON l.tenant_id = b.tenant_id AND l.batch_id = b.batch_id
JOIN w_order o ON o.tenant_id = l.tenant_id AND o.order_id = l.order_id
JOIN w_customer c ON c.tenant_id = o.tenant_id AND c.customer_id = o.customer_id;

COMMENT ON VIEW v_batch_recipient IS 'Whom to write to when a batch has to be called back.';

CREATE MATERIALIZED VIEW r_monthly_sales AS
SELECT o.tenant_id,
       date_trunc('month', o.placed_at AT TIME ZONE 'UTC')::date AS month,
       l.product_id,
       count(DISTINCT o.order_id) AS order_count,
       sum(l.jar_count) AS jar_count,
       sum(l.jar_count * l.unit_price_cents) AS revenue_cents
FROM w_order o
JOIN w_order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.order_id
WHERE o.status <> 'cancelled'
GROUP BY 1, 2, 3;

CREATE UNIQUE INDEX r_monthly_sales_key ON r_monthly_sales (tenant_id, month, product_id);

COMMENT ON MATERIALIZED VIEW r_monthly_sales IS 'Jars sold by month and preserve; refreshed every night.';
