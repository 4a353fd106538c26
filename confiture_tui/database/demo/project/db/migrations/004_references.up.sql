-- The old till's books came in as they were found, an order sometimes before its customer. They are all in now:
-- from here on two orders with one number, an order without a customer, or a line without an order, are mistakes that
-- the database refuses.
-- Each reference carries the tenant, so that no order of one shop can ever point at another shop's customer.

ALTER TABLE w_order
    ADD CONSTRAINT w_order_number_key UNIQUE (tenant_id, order_number);

ALTER TABLE w_order_line
    ADD CONSTRAINT w_order_line_number_key UNIQUE (tenant_id, order_id, line_number);

ALTER TABLE w_customer
    ADD CONSTRAINT w_customer_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id);

ALTER TABLE w_product
    ADD CONSTRAINT w_product_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id);

ALTER TABLE w_batch
    ADD CONSTRAINT w_batch_product_fkey FOREIGN KEY (tenant_id, product_id)
        REFERENCES w_product (tenant_id, product_id);

ALTER TABLE w_order
    ADD CONSTRAINT w_order_customer_fkey FOREIGN KEY (tenant_id, customer_id)
        REFERENCES w_customer (tenant_id, customer_id);

ALTER TABLE w_order_line
    ADD CONSTRAINT w_order_line_order_fkey FOREIGN KEY (tenant_id, order_id)
        REFERENCES w_order (tenant_id, order_id) ON DELETE CASCADE,
    ADD CONSTRAINT w_order_line_product_fkey FOREIGN KEY (tenant_id, product_id)
        REFERENCES w_product (tenant_id, product_id);

ALTER TABLE w_payment
    ADD CONSTRAINT w_payment_order_fkey FOREIGN KEY (tenant_id, order_id)
        REFERENCES w_order (tenant_id, order_id);

ALTER TABLE w_order_event
    ADD CONSTRAINT w_order_event_order_fkey FOREIGN KEY (tenant_id, order_id)
        REFERENCES w_order (tenant_id, order_id) ON DELETE CASCADE;

-- Whoever takes an order says where it came from. Only new orders are looked at: the old books are a job for a quiet hour.
ALTER TABLE w_order
    ADD CONSTRAINT w_order_channel_known CHECK (channel IS NOT NULL) NOT VALID;

-- What the counter asks for all day long.
CREATE INDEX w_batch_product_idx ON w_batch (tenant_id, product_id, cooked_on);
CREATE INDEX w_order_customer_idx ON w_order (tenant_id, customer_id, placed_at DESC);
CREATE INDEX w_order_open_idx ON w_order (tenant_id, placed_at) WHERE status IN ('placed', 'paid', 'packed');
CREATE INDEX w_order_placed_at_idx ON w_order USING brin (placed_at);
CREATE INDEX w_order_line_product_idx ON w_order_line (tenant_id, product_id);
CREATE INDEX w_payment_order_idx ON w_payment (tenant_id, order_id);
CREATE INDEX w_order_event_order_idx ON w_order_event (tenant_id, order_id);
CREATE INDEX w_customer_email_idx ON w_customer (tenant_id, lower(email));
