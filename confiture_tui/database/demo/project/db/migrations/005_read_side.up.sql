-- On market days the counter waited for the list of orders longer than the customer waited for the jam.
-- The read side (r_) keeps the answers ready: one row for each order, one for each customer. A view of the same name
-- with v_ says what each row ought to be; the tables are filled from it, kept in step by it, and can be checked by it.

CREATE TABLE r_order_summary (
    tenant_id      uuid         NOT NULL,
    order_id       bigint       NOT NULL,
    order_number   text         NOT NULL,
    customer_id    bigint       NOT NULL,
    customer_name  text         NOT NULL,
    city           text         NOT NULL,
    status         order_status NOT NULL,
    channel        text,
    placed_at      timestamptz  NOT NULL,
    line_count     integer      NOT NULL,
    jar_count      integer      NOT NULL,
    total_cents    bigint       NOT NULL,
    paid_cents     bigint       NOT NULL,
    CONSTRAINT r_order_summary_pkey PRIMARY KEY (tenant_id, order_id)
);

COMMENT ON TABLE r_order_summary IS 'Read model: an order as the counter sees it. Written by triggers only.';
COMMENT ON COLUMN r_order_summary.total_cents IS 'Jars and shipping together.';

CREATE TABLE r_customer_overview (
    tenant_id      uuid   NOT NULL,
    customer_id    bigint NOT NULL,
    customer_name  text   NOT NULL,
    city           text   NOT NULL,
    order_count    bigint NOT NULL,
    jar_count      bigint NOT NULL,
    spent_cents    bigint NOT NULL,
    first_order_at timestamptz,
    last_order_at  timestamptz,
    CONSTRAINT r_customer_overview_pkey PRIMARY KEY (tenant_id, customer_id)
);

COMMENT ON TABLE r_customer_overview IS 'Read model: a customer and all they ever bought. Written by triggers only.';
COMMENT ON COLUMN r_customer_overview.spent_cents IS 'Total of all orders that were not cancelled.';

CREATE VIEW v_order_summary AS
SELECT o.tenant_id, o.order_id, o.order_number, o.customer_id, c.full_name AS customer_name, c.city,
       o.status, o.channel, o.placed_at,
       lines.line_count, lines.jar_count,
       lines.goods_cents + o.shipping_cents AS total_cents,
       payments.paid_cents
FROM w_order o
JOIN w_customer c ON c.tenant_id = o.tenant_id AND c.customer_id = o.customer_id
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS line_count,
           coalesce(sum(l.jar_count), 0)::integer AS jar_count,
           coalesce(sum(l.jar_count * l.unit_price_cents), 0) AS goods_cents
    FROM w_order_line l
    WHERE l.tenant_id = o.tenant_id AND l.order_id = o.order_id
) AS lines
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount_cents), 0) AS paid_cents
    FROM w_payment p
    WHERE p.tenant_id = o.tenant_id AND p.order_id = o.order_id
) AS payments;

COMMENT ON VIEW v_order_summary IS 'What each row of r_order_summary ought to be.';

INSERT INTO r_order_summary SELECT * FROM v_order_summary;

CREATE INDEX r_order_summary_customer_idx ON r_order_summary (tenant_id, customer_id);
CREATE INDEX r_order_summary_placed_at_idx ON r_order_summary (tenant_id, placed_at DESC);

ALTER TABLE r_order_summary
    ADD CONSTRAINT r_order_summary_order_fkey FOREIGN KEY (tenant_id, order_id)
        REFERENCES w_order (tenant_id, order_id) ON DELETE CASCADE;

CREATE VIEW v_customer_overview AS
SELECT c.tenant_id, c.customer_id, c.full_name AS customer_name, c.city,
       orders.order_count, orders.jar_count, orders.spent_cents, orders.first_order_at, orders.last_order_at
FROM w_customer c
CROSS JOIN LATERAL (
    SELECT count(*) AS order_count,
           coalesce(sum(s.jar_count), 0) AS jar_count,
           coalesce(sum(s.total_cents), 0)::bigint AS spent_cents,
           min(s.placed_at) AS first_order_at,
           max(s.placed_at) AS last_order_at
    FROM r_order_summary s
    WHERE s.tenant_id = c.tenant_id AND s.customer_id = c.customer_id AND s.status <> 'cancelled'
) AS orders;

COMMENT ON VIEW v_customer_overview IS 'What each row of r_customer_overview ought to be.';

INSERT INTO r_customer_overview SELECT * FROM v_customer_overview;

ALTER TABLE r_customer_overview
    ADD CONSTRAINT r_customer_overview_customer_fkey FOREIGN KEY (tenant_id, customer_id)
        REFERENCES w_customer (tenant_id, customer_id) ON DELETE CASCADE;

-- One function for all that changes an order: each trigger hands it the rows that changed, as a set.
CREATE FUNCTION project_changed_orders() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO r_order_summary
    SELECT v.*
    FROM (SELECT DISTINCT tenant_id, order_id FROM changed) AS one
    JOIN v_order_summary v ON v.tenant_id = one.tenant_id AND v.order_id = one.order_id
    ON CONFLICT (tenant_id, order_id) DO UPDATE
    SET order_number  = excluded.order_number,
        customer_id   = excluded.customer_id,
        customer_name = excluded.customer_name,
        city          = excluded.city,
        status        = excluded.status,
        channel       = excluded.channel,
        placed_at     = excluded.placed_at,
        line_count    = excluded.line_count,
        jar_count     = excluded.jar_count,
        total_cents   = excluded.total_cents,
        paid_cents    = excluded.paid_cents;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION project_changed_orders() IS 'Trigger: brings r_order_summary in step with the orders in "changed".';

CREATE FUNCTION project_changed_customers() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO r_customer_overview
    SELECT v.*
    FROM (SELECT DISTINCT tenant_id, customer_id FROM changed) AS one
    JOIN v_customer_overview v ON v.tenant_id = one.tenant_id AND v.customer_id = one.customer_id
    ON CONFLICT (tenant_id, customer_id) DO UPDATE
    SET customer_name  = excluded.customer_name,
        city           = excluded.city,
        order_count    = excluded.order_count,
        jar_count      = excluded.jar_count,
        spent_cents    = excluded.spent_cents,
        first_order_at = excluded.first_order_at,
        last_order_at  = excluded.last_order_at;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION project_changed_customers() IS 'Trigger: brings r_customer_overview in step with the customers in "changed".';

CREATE FUNCTION rename_customer_on_orders() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE r_order_summary s
    SET customer_name = c.full_name, city = c.city
    FROM changed c
    WHERE s.tenant_id = c.tenant_id AND s.customer_id = c.customer_id
      AND (s.customer_name, s.city) IS DISTINCT FROM (c.full_name, c.city);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION rename_customer_on_orders() IS 'Trigger: a customer who marries or moves does so on all their orders.';

CREATE FUNCTION record_order_event() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO w_order_event (tenant_id, order_id, status, actor, detail)
    VALUES (NEW.tenant_id, NEW.order_id, NEW.status, 'shop', jsonb_build_object('channel', NEW.channel));
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION record_order_event() IS 'Trigger: writes each step of an order into the diary.';

CREATE TRIGGER w_order_placed AFTER INSERT ON w_order
    FOR EACH ROW EXECUTE FUNCTION record_order_event();
CREATE TRIGGER w_order_stepped AFTER UPDATE OF status ON w_order
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION record_order_event();

CREATE TRIGGER w_order_inserted AFTER INSERT ON w_order
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_orders();
CREATE TRIGGER w_order_updated AFTER UPDATE ON w_order
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_orders();

CREATE TRIGGER w_order_line_inserted AFTER INSERT ON w_order_line
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_orders();
CREATE TRIGGER w_order_line_updated AFTER UPDATE ON w_order_line
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_orders();
CREATE TRIGGER w_order_line_deleted AFTER DELETE ON w_order_line
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_orders();

CREATE TRIGGER w_payment_inserted AFTER INSERT ON w_payment
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_orders();

CREATE TRIGGER w_customer_inserted AFTER INSERT ON w_customer
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_customers();
CREATE TRIGGER w_customer_updated AFTER UPDATE ON w_customer
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_customers();
CREATE TRIGGER w_customer_renamed AFTER UPDATE ON w_customer
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION rename_customer_on_orders();

CREATE TRIGGER r_order_summary_inserted AFTER INSERT ON r_order_summary
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_customers();
CREATE TRIGGER r_order_summary_updated AFTER UPDATE ON r_order_summary
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_customers();
CREATE TRIGGER r_order_summary_deleted AFTER DELETE ON r_order_summary
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION project_changed_customers();
