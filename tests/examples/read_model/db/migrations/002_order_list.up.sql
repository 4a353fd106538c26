-- The counter waits for the list of orders longer than the customer waits for the jam. From here on it is kept ready:
-- the view says what a row ought to be, the triggers keep the table in step with it, and the hooks beside this file fill
-- it with the orders of before.

CREATE VIEW v_order_list AS
SELECT o.tenant_id, o.order_id, o.customer, o.status,
       count(l.line_number) AS line_count,
       coalesce(sum(l.jar_count * l.price_cents), 0) AS total_cents
FROM w_order o
LEFT JOIN w_order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.order_id
GROUP BY o.tenant_id, o.order_id;

CREATE TABLE r_order_list (
    tenant_id   uuid   NOT NULL,
    order_id    bigint NOT NULL,
    customer    text   NOT NULL,
    status      text   NOT NULL,
    line_count  bigint NOT NULL,
    total_cents bigint NOT NULL,
    CONSTRAINT r_order_list_pkey PRIMARY KEY (tenant_id, order_id)
);

CREATE FUNCTION project_changed_orders() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO r_order_list
    SELECT v.*
    FROM (SELECT DISTINCT tenant_id, order_id FROM changed) AS one
    JOIN v_order_list v ON v.tenant_id = one.tenant_id AND v.order_id = one.order_id
    ON CONFLICT (tenant_id, order_id) DO UPDATE
    SET customer    = excluded.customer,
        status      = excluded.status,
        line_count  = excluded.line_count,
        total_cents = excluded.total_cents;
    RETURN NULL;
END
$$;

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
