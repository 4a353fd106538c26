-- Lets the books point anywhere again.

DROP INDEX w_customer_email_idx;
DROP INDEX w_order_event_order_idx;
DROP INDEX w_payment_order_idx;
DROP INDEX w_order_line_product_idx;
DROP INDEX w_order_placed_at_idx;
DROP INDEX w_order_open_idx;
DROP INDEX w_order_customer_idx;
DROP INDEX w_batch_product_idx;

ALTER TABLE w_order DROP CONSTRAINT w_order_channel_known;

ALTER TABLE w_order_event DROP CONSTRAINT w_order_event_order_fkey;
ALTER TABLE w_payment DROP CONSTRAINT w_payment_order_fkey;
ALTER TABLE w_order_line
    DROP CONSTRAINT w_order_line_product_fkey,
    DROP CONSTRAINT w_order_line_order_fkey;
ALTER TABLE w_order DROP CONSTRAINT w_order_customer_fkey;
ALTER TABLE w_batch DROP CONSTRAINT w_batch_product_fkey;
ALTER TABLE w_product DROP CONSTRAINT w_product_tenant_fkey;
ALTER TABLE w_customer DROP CONSTRAINT w_customer_tenant_fkey;

ALTER TABLE w_order_line DROP CONSTRAINT w_order_line_number_key;
ALTER TABLE w_order DROP CONSTRAINT w_order_number_key;
