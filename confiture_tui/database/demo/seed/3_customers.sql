-- Twelve thousand customers; half of them were there before the orders that we know of, the others came with theirs.
-- One in forty forgot that there was an account already and opened another with the same address: "person" is who it
-- really is, and people who come back always come back to their own shop, because 16 customers further is the same one.

INSERT INTO w_customer
    (tenant_id, customer_id, kind, full_name, company, email, phone, fax, street, postcode, city, likes_news,
     created_at, updated_at)
OVERRIDING SYSTEM VALUE
SELECT seed.tenant_id(seed.tenant_of(customer)), customer,
       CASE WHEN seed.is_wholesale(person) THEN 'wholesale' ELSE 'private' END,
       first_name || ' ' || last_name,
       CASE WHEN seed.is_wholesale(person)
            THEN (ARRAY['Hotel ', 'Café ', 'Delicatessen ', 'Bakery '])[1 + seed.pick(person, 12, 4)] || last_name END,
       translate(lower(first_name || '.' || last_name), 'éèëíáöüø'' ', 'eeeiaouo') || '.' || person
           || (ARRAY['@example.com', '@example.org', '@example.net'])[1 + seed.pick(person, 13, 3)],
       CASE WHEN seed.pick(person, 14, 10) < 7 THEN '+00 555 ' || lpad(seed.pick(person, 15, 1000000)::text, 6, '0') END,
       CASE WHEN seed.is_wholesale(person) AND seed.pick(person, 16, 3) = 0
            THEN '+00 555 ' || lpad(seed.pick(person, 17, 1000000)::text, 6, '0') END,
       (1 + seed.pick(person, 18, 120)) || ' ' || seed.street(1 + seed.pick(person, 19, 16)),
       lpad(seed.pick(person, 21, 100000)::text, 5, '0'),
       seed.city(1 + seed.pick(person, 22, 40)),
       seed.pick(person, 23, 5) < 2,
       joined_at, joined_at
FROM generate_series(1, 12000) AS customer
CROSS JOIN LATERAL (
    SELECT CASE WHEN customer > 16 AND seed.pick(customer, 24, 40) = 0 THEN customer - 16 ELSE customer END AS person,
           CASE WHEN customer <= 6000
                THEN timestamptz '2022-01-01 09:00:00+00' + customer * interval '263 minutes'
                ELSE seed.moment((customer - 6000) * 5) END AS joined_at
) AS a
CROSS JOIN LATERAL (
    SELECT seed.first_name(1 + seed.pick(person, 25, 60)) AS first_name,
           seed.last_name(1 + seed.pick(person, 26, 80)) AS last_name
) AS b;

SELECT setval(pg_get_serial_sequence('w_customer', 'customer_id'), 12000);
