-- Who buys jam, which jams there are, and from which pot each jar came.
-- These are the write side's tables (w_): the truth, normalised, one row for each thing in the shop.

CREATE TABLE w_customer (
    tenant_id         uuid          NOT NULL,
    customer_id       bigint        NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind              text          NOT NULL DEFAULT 'private',
    full_name         text          NOT NULL,
    company           text,
    email             email_address NOT NULL,
    phone             text,
    fax               text,
    street            text          NOT NULL,
    postcode          text          NOT NULL,
    city              text          NOT NULL,
    likes_news        boolean       NOT NULL DEFAULT false,
    created_at        timestamptz   NOT NULL DEFAULT now(),
    updated_at        timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT w_customer_pkey PRIMARY KEY (tenant_id, customer_id),
    CONSTRAINT w_customer_kind_check CHECK (kind IN ('private', 'wholesale')),
    CONSTRAINT w_customer_company_check CHECK (kind = 'private' OR company IS NOT NULL)
);

COMMENT ON TABLE w_customer IS 'Somebody who buys from a shop. A person who buys from two shops is two customers.';
COMMENT ON COLUMN w_customer.kind IS 'private, or wholesale: delicatessens, hotels and cafés with an account.';
COMMENT ON COLUMN w_customer.likes_news IS 'Asked to be told when the first strawberries are in.';

CREATE TRIGGER w_customer_touch BEFORE UPDATE ON w_customer
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE w_product (
    tenant_id     uuid           NOT NULL,
    product_id    bigint         NOT NULL GENERATED ALWAYS AS IDENTITY,
    sku           text           NOT NULL,
    name          text           NOT NULL,
    fruit         text           NOT NULL,
    style         preserve_style NOT NULL,
    jar_grams     smallint       NOT NULL,
    sugar_percent numeric(4, 1)  NOT NULL,
    price_cents   cents          NOT NULL,
    is_sold       boolean        NOT NULL DEFAULT true,
    created_at    timestamptz    NOT NULL DEFAULT now(),
    updated_at    timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT w_product_pkey PRIMARY KEY (tenant_id, product_id),
    CONSTRAINT w_product_sku_key UNIQUE (tenant_id, sku),
    CONSTRAINT w_product_jar_check CHECK (jar_grams BETWEEN 20 AND 5000),
    CONSTRAINT w_product_sugar_check CHECK (sugar_percent BETWEEN 0 AND 70)
);

COMMENT ON TABLE w_product IS 'A preserve as it stands on the shelf: one fruit, one style, one size of jar.';
COMMENT ON COLUMN w_product.sku IS 'What is printed below the bar code, unique within a shop.';
COMMENT ON COLUMN w_product.price_cents IS 'What a jar costs today; what it cost on the day is on the order line.';

CREATE TRIGGER w_product_touch BEFORE UPDATE ON w_product
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE w_batch (
    tenant_id   uuid     NOT NULL,
    batch_id    bigint   NOT NULL GENERATED ALWAYS AS IDENTITY,
    product_id  bigint   NOT NULL,
    code        text     NOT NULL,
    cooked_on   date     NOT NULL,
    jar_count   smallint NOT NULL,
    best_before date     NOT NULL GENERATED ALWAYS AS (cooked_on + 540) STORED,
    CONSTRAINT w_batch_pkey PRIMARY KEY (tenant_id, batch_id),
    CONSTRAINT w_batch_code_key UNIQUE (tenant_id, code),
    CONSTRAINT w_batch_jar_check CHECK (jar_count > 0)
);

COMMENT ON TABLE w_batch IS 'One pot, cooked on one day, filled into jars. If something is wrong with a jar, it is wrong with its batch.';
COMMENT ON COLUMN w_batch.code IS 'What is stamped on the lid.';
