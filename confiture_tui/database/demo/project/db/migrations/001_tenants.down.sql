-- Closes the pantry.

DROP FUNCTION touch_updated_at();
DROP FUNCTION current_tenant_id();
DROP TABLE tenant;
DROP TYPE order_status;
DROP TYPE preserve_style;
DROP DOMAIN email_address;
DROP DOMAIN cents;
