-- Customers who forget that they have an account open another, and then their loyalty stamps are on two cards.
-- One address, one account. The shop is open while this is built, so it is built without stopping anybody.

CREATE UNIQUE INDEX CONCURRENTLY w_customer_email_key ON w_customer (tenant_id, email);
