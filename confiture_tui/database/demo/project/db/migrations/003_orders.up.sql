-- Orders, their lines, their payments, and the diary of what happened to them.
-- The diary grows by a page a minute and is hardly read after a year, so it is kept in months that can be put away.

CREATE TABLE w_order (
    tenant_id         uuid         NOT NULL,
    order_id          bigint       NOT NULL GENERATED ALWAYS AS IDENTITY,
    order_number      text         NOT NULL,
    customer_id       bigint       NOT NULL,
    status            order_status NOT NULL DEFAULT 'placed',
    channel           text,
    delivery_note     text,
    shipping_cents    cents        NOT NULL DEFAULT 0,
    placed_at         timestamptz  NOT NULL DEFAULT now(),
    status_changed_at timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT w_order_pkey PRIMARY KEY (tenant_id, order_id)
);

COMMENT ON TABLE w_order IS 'What a customer asked for on one occasion.';
COMMENT ON COLUMN w_order.channel IS 'Where the order came from: web, market or telephone.';
COMMENT ON COLUMN w_order.delivery_note IS 'What the customer asks of whoever brings the parcel.';

CREATE TABLE w_order_line (
    tenant_id        uuid     NOT NULL,
    order_line_id    integer  NOT NULL GENERATED ALWAYS AS IDENTITY,
    order_id         bigint   NOT NULL,
    line_number      smallint NOT NULL,
    product_id       bigint   NOT NULL,
    batch_id         bigint   NOT NULL,
    jar_count        smallint NOT NULL,
    unit_price_cents cents    NOT NULL,
    CONSTRAINT w_order_line_pkey PRIMARY KEY (tenant_id, order_line_id),
    CONSTRAINT w_order_line_jar_check CHECK (jar_count > 0)
);

COMMENT ON TABLE w_order_line IS 'So many jars of one preserve, out of one batch, in an order.';
COMMENT ON COLUMN w_order_line.unit_price_cents IS 'What a jar cost on the day of the order.';

CREATE TABLE w_payment (
    tenant_id    uuid        NOT NULL,
    payment_id   bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    order_id     bigint      NOT NULL,
    method       text        NOT NULL,
    amount_cents cents       NOT NULL,
    paid_at      timestamptz NOT NULL DEFAULT now(),
    reference    text        NOT NULL,
    CONSTRAINT w_payment_pkey PRIMARY KEY (tenant_id, payment_id),
    CONSTRAINT w_payment_method_check CHECK (method IN ('card', 'transfer', 'cash'))
);

COMMENT ON TABLE w_payment IS 'Money that came in for an order.';
COMMENT ON COLUMN w_payment.reference IS 'What the bank or the card company calls it.';

CREATE SEQUENCE w_order_event_id_seq AS bigint;

CREATE TABLE w_order_event (
    tenant_id   uuid         NOT NULL,
    event_id    bigint       NOT NULL DEFAULT nextval('w_order_event_id_seq'),
    order_id    bigint       NOT NULL,
    status      order_status NOT NULL,
    actor       text         NOT NULL DEFAULT 'shop',
    detail      jsonb        NOT NULL DEFAULT '{}',
    occurred_at timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT w_order_event_pkey PRIMARY KEY (tenant_id, event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);

ALTER SEQUENCE w_order_event_id_seq OWNED BY w_order_event.event_id;

COMMENT ON TABLE w_order_event IS 'The diary: each step of each order, in months. Rows are added and never changed.';
COMMENT ON COLUMN w_order_event.status IS 'The step that was taken.';
COMMENT ON COLUMN w_order_event.actor IS 'Who took it: customer, shop, courier or bank.';

-- What arrives before its month has been opened is kept all the same.
CREATE TABLE w_order_event_unplanned PARTITION OF w_order_event DEFAULT;

COMMENT ON TABLE w_order_event_unplanned IS 'Events of months that have no partition yet. Should be empty.';

CREATE FUNCTION open_order_event_month(month date) RETURNS void
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
DECLARE
    opens  timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    closes timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF w_order_event FOR VALUES FROM (%L) TO (%L)',
        'w_order_event_' || to_char(month, 'YYYY_MM'), opens, closes
    );
END
$$;

COMMENT ON FUNCTION open_order_event_month(date) IS 'Opens the diary''s partition for the month of a day; months are those of UTC.';

SELECT open_order_event_month(month::date)
FROM generate_series(timestamp '2025-01-01', timestamp '2026-12-01', interval '1 month') AS month;
