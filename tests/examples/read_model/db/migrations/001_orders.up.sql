-- The write side: whatever is written down belongs to one shop, and says to which.

CREATE TABLE tenant (
    tenant_id uuid NOT NULL,
    name      text NOT NULL,
    CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id)
);

CREATE TABLE w_order (
    tenant_id uuid   NOT NULL,
    order_id  bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    customer  text   NOT NULL,
    status    text   NOT NULL DEFAULT 'placed',
    CONSTRAINT w_order_pkey PRIMARY KEY (tenant_id, order_id),
    CONSTRAINT w_order_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE w_order_line (
    tenant_id   uuid    NOT NULL,
    order_id    bigint  NOT NULL,
    line_number integer NOT NULL,
    jar_count   integer NOT NULL,
    price_cents integer NOT NULL,
    CONSTRAINT w_order_line_pkey PRIMARY KEY (tenant_id, order_id, line_number),
    CONSTRAINT w_order_line_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES w_order (tenant_id, order_id)
);

-- A backfill goes through the orders by their number, whichever shop's they are.
CREATE INDEX w_order_number_idx ON w_order (order_id);
