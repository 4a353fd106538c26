-- Eight shops, sixty preserves on each one's shelves, forty pots of each since the summer of 2024.

INSERT INTO tenant (tenant_id, slug, name, city, opened_on, created_at)
SELECT seed.tenant_id(n), slug, name, city, opened_on, opened_on + time '08:00' AT TIME ZONE 'UTC'
FROM (VALUES
    (1, 'bergamot',  'Bergamot & Daughters',      'Annecy',   date '2019-03-01'),
    (2, 'keiller',   'The Dundee Marmalade Room', 'Dundee',   date '2019-09-14'),
    (3, 'damson',    'Damson and Sloe',           'Galway',   date '2020-05-02'),
    (4, 'mirabelle', 'Maison Mirabelle',          'Dijon',    date '2021-01-16'),
    (5, 'copperpan', 'The Copper Pan',            'Salzburg', date '2021-11-06'),
    (6, 'fico',      'Fico e Limone',             'Modena',   date '2022-06-18'),
    (7, 'naranja',   'La Naranja Amarga',         'Seville',  date '2023-02-04'),
    (8, 'lingon',    'Lingon & Moln',             'Uppsala',  date '2024-04-20')
) AS shop (n, slug, name, city, opened_on);

-- The first eight fruits are citrus. A fruit's first preserve is a marmalade or a jam, its second a curd, a jelly or a chutney.
INSERT INTO w_product
    (tenant_id, product_id, sku, name, fruit, style, jar_grams, sugar_percent, price_cents, is_sold, created_at, updated_at)
OVERRIDING SYSTEM VALUE
SELECT seed.tenant_id(tenant), (tenant - 1) * 60 + kind,
       upper(left(seed.fruit(fruit), 3)) || '-' || upper(left(style, 3)) || '-' || lpad(kind::text, 2, '0'),
       seed.fruit(fruit) || ' ' || style, seed.fruit(fruit), style::preserve_style,
       (ARRAY[125, 250, 340, 450])[1 + seed.pick(tenant * 60 + kind, 1, 4)],
       38 + seed.pick(tenant * 60 + kind, 2, 220) / 10.0,
       390 + 10 * seed.pick(tenant * 60 + kind, 3, 60),
       seed.pick(tenant * 60 + kind, 4, 20) > 0,
       stocked_at, stocked_at
FROM generate_series(1, 8) AS tenant
CROSS JOIN generate_series(1, 60) AS kind
CROSS JOIN LATERAL (SELECT 1 + (kind - 1) % 30 AS fruit, timestamptz '2024-05-01 08:00:00+00' AS stocked_at) AS a
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN kind <= 8 THEN 'marmalade'
        WHEN kind <= 30 THEN 'jam'
        WHEN fruit <= 8 THEN 'curd'
        WHEN fruit % 2 = 0 THEN 'jelly'
        ELSE 'chutney'
    END AS style
) AS b;

-- Pots of one preserve are cooked about every three weeks, never two on one day.
INSERT INTO w_batch (tenant_id, batch_id, product_id, code, cooked_on, jar_count)
OVERRIDING SYSTEM VALUE
SELECT seed.tenant_id(1 + (product - 1) / 60), (product - 1) * 40 + pot, product,
       to_char(cooked_on, 'YYMMDD') || '-' || lpad(product::text, 3, '0'),
       cooked_on, 60 + seed.pick(product * 40 + pot, 5, 140)
FROM generate_series(1, 480) AS product
CROSS JOIN generate_series(1, 40) AS pot
CROSS JOIN LATERAL (SELECT date '2024-06-01' + (pot - 1) * 22 + seed.pick(product * 40 + pot, 6, 20) AS cooked_on) AS a;

SELECT setval(pg_get_serial_sequence('w_product', 'product_id'), 480);
SELECT setval(pg_get_serial_sequence('w_batch', 'batch_id'), 19200);
