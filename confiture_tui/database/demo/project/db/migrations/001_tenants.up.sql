-- The pantry is one house for many jam shops. Whatever is written down in it belongs to exactly one of them,
-- so the shops come first, and every table that follows carries the tenant_id of the shop it belongs to.

CREATE DOMAIN cents AS integer
    CONSTRAINT cents_not_negative CHECK (VALUE >= 0);

COMMENT ON DOMAIN cents IS 'An amount of money in euro cents. Never negative: what goes back to a customer is a payment of its own.';

CREATE DOMAIN email_address AS text
    CONSTRAINT email_address_shape CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:].]+$');

COMMENT ON DOMAIN email_address IS 'Looks like an e-mail address; whether somebody reads it there is another question.';

CREATE TYPE preserve_style AS ENUM ('jam', 'jelly', 'marmalade', 'chutney', 'curd');

COMMENT ON TYPE preserve_style IS 'What a fruit was made into. Only citrus makes marmalade.';

CREATE TYPE order_status AS ENUM ('placed', 'paid', 'packed', 'shipped', 'delivered', 'cancelled');

COMMENT ON TYPE order_status IS 'How far an order has come, in the order in which it happens; cancelled can follow any but delivered.';

CREATE TABLE tenant (
    tenant_id  uuid        NOT NULL DEFAULT gen_random_uuid(),
    slug       text        NOT NULL,
    name       text        NOT NULL,
    city       text        NOT NULL,
    opened_on  date        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenant_slug_key UNIQUE (slug),
    CONSTRAINT tenant_slug_shape CHECK (slug ~ '^[a-z][a-z0-9-]{1,30}$')
);

COMMENT ON TABLE tenant IS 'A jam shop that lives in the pantry.';
COMMENT ON COLUMN tenant.slug IS 'The shop''s name in web addresses and order numbers.';

-- The application says once per connection whose shop it works for: SET pantry.tenant_id = '…'.
CREATE FUNCTION current_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('pantry.tenant_id', true), '')::uuid;

COMMENT ON FUNCTION current_tenant_id() IS 'The shop that this session works for; null when it has not said.';

CREATE FUNCTION touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION touch_updated_at() IS 'Trigger: remembers when a row of the write side was last changed.';
