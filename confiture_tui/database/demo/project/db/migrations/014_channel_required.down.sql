-- Back to asking new orders only.

ALTER TABLE w_order
    ADD CONSTRAINT w_order_channel_known CHECK (channel IS NOT NULL) NOT VALID;
ALTER TABLE w_order ALTER COLUMN channel DROP NOT NULL;
