-- The letter at the start of the season is to open with each customer's favourite fruit. The read side keeps it ready:
-- the view says what it is, the projection keeps it in step, and those who are customers already get theirs now.

ALTER TABLE r_customer_overview ADD COLUMN favourite_fruit text;

COMMENT ON COLUMN r_customer_overview.favourite_fruit IS 'The fruit they bought most jars of; null before the first order.';

CREATE OR REPLACE VIEW v_customer_overview AS
SELECT c.tenant_id, c.customer_id, c.full_name AS customer_name, c.city,
       orders.order_count, orders.jar_count, orders.spent_cents, orders.first_order_at, orders.last_order_at,
       favourite.fruit AS favourite_fruit
FROM w_customer c
CROSS JOIN LATERAL (
    SELECT count(*) AS order_count,
           coalesce(sum(s.jar_count), 0) AS jar_count,
           coalesce(sum(s.total_cents), 0)::bigint AS spent_cents,
           min(s.placed_at) AS first_order_at,
           max(s.placed_at) AS last_order_at
    FROM r_order_summary s
    WHERE s.tenant_id = c.tenant_id AND s.customer_id = c.customer_id AND s.status <> 'cancelled'
) AS orders
LEFT JOIN LATERAL (
    SELECT p.fruit
    FROM r_order_summary s
    JOIN w_order_line l ON l.tenant_id = s.tenant_id AND l.order_id = s.order_id
    JOIN w_product p ON p.tenant_id = l.tenant_id AND p.product_id = l.product_id
    WHERE s.tenant_id = c.tenant_id AND s.customer_id = c.customer_id AND s.status <> 'cancelled'
    GROUP BY p.fruit
    ORDER BY sum(l.jar_count) DESC, p.fruit
    LIMIT 1
) AS favourite ON true;

CREATE OR REPLACE FUNCTION project_changed_customers() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO r_customer_overview
    SELECT v.*
    FROM (SELECT DISTINCT tenant_id, customer_id FROM changed) AS one
    JOIN v_customer_overview v ON v.tenant_id = one.tenant_id AND v.customer_id = one.customer_id
    ON CONFLICT (tenant_id, customer_id) DO UPDATE
    SET customer_name   = excluded.customer_name,
        city            = excluded.city,
        order_count     = excluded.order_count,
        jar_count       = excluded.jar_count,
        spent_cents     = excluded.spent_cents,
        first_order_at  = excluded.first_order_at,
        last_order_at   = excluded.last_order_at,
        favourite_fruit = excluded.favourite_fruit;
    RETURN NULL;
END
$$;

UPDATE r_customer_overview r
SET favourite_fruit = v.favourite_fruit
FROM v_customer_overview v
WHERE v.tenant_id = r.tenant_id AND v.customer_id = r.customer_id;

CREATE INDEX r_customer_overview_fruit_idx ON r_customer_overview (tenant_id, favourite_fruit);
