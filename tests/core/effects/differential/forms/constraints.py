"""Constraints of tables."""

from __future__ import annotations

from tests.core.effects.differential.form import group
from tests.core.effects.differential.worlds import SHOP

FORMS = (
    *group(
        "check",
        SHOP,
        {
            "add": "ALTER TABLE customers ADD CONSTRAINT c CHECK (age < 150)",
            "add, violated": "ALTER TABLE customers ADD CONSTRAINT c CHECK (age < 15)",
            "add not valid": "ALTER TABLE customers ADD CONSTRAINT c CHECK (age < 150) NOT VALID",
            "add no inherit": "ALTER TABLE customers ADD CONSTRAINT c CHECK (age < 150) NO INHERIT",
            "validate": "ALTER TABLE reviews VALIDATE CONSTRAINT stars_range",
            "validate a valid one": "ALTER TABLE customers VALIDATE CONSTRAINT age_range",
            "validate unknown": "ALTER TABLE customers VALIDATE CONSTRAINT nonesuch",
            "drop": "ALTER TABLE customers DROP CONSTRAINT age_range",
            "drop unknown": "ALTER TABLE customers DROP CONSTRAINT nonesuch",
            "drop unknown, if exists": "ALTER TABLE customers DROP CONSTRAINT IF EXISTS nonesuch",
            "rename": "ALTER TABLE customers RENAME CONSTRAINT age_range TO ages",
            "name taken": "ALTER TABLE customers ADD CONSTRAINT age_range CHECK (age < 150)",
            "unknown column": "ALTER TABLE customers ADD CHECK (nonesuch > 0)",
            "with a query": "ALTER TABLE customers ADD CHECK (age IN (SELECT 1))",
            "true": "ALTER TABLE plain ADD CONSTRAINT c CHECK (true)",
        },
    ),
    *group(
        "check",
        SHOP,
        {
            "not enforced": "ALTER TABLE customers ADD CONSTRAINT c CHECK (age < 150) NOT ENFORCED",
            "named not null": "ALTER TABLE customers ADD CONSTRAINT n NOT NULL age",
            "named not null, not valid": "ALTER TABLE customers ADD CONSTRAINT n NOT NULL age NOT VALID",
            "named not null, there": "ALTER TABLE customers ADD CONSTRAINT n NOT NULL email",
            "named not null, then validated": "ALTER TABLE customers ADD CONSTRAINT n NOT NULL age NOT VALID; "
            "ALTER TABLE customers VALIDATE CONSTRAINT n",
        },
        since=18,
    ),
    *group(
        "key",
        SHOP,
        {
            "primary": "ALTER TABLE plain ADD PRIMARY KEY (a)",
            "primary over not null": "ALTER TABLE ready ADD PRIMARY KEY (a)",
            "primary of two": "ALTER TABLE ready ADD CONSTRAINT pk PRIMARY KEY (a, b)",
            "second primary": "ALTER TABLE customers ADD PRIMARY KEY (email)",
            "primary with NULLs": "ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE, "
            "ADD PRIMARY KEY (nothing)",
            "primary using index": "ALTER TABLE ready ADD CONSTRAINT pk PRIMARY KEY USING INDEX ready_a",
            "primary using index, nullable": "ALTER TABLE ready ADD CONSTRAINT pk PRIMARY KEY USING INDEX ready_c",
            "primary using partial index": "ALTER TABLE ready ADD CONSTRAINT pk PRIMARY KEY USING INDEX ready_some",
            "unique": "ALTER TABLE customers ADD CONSTRAINT u UNIQUE (score)",
            "unique, unnamed": "ALTER TABLE plain ADD UNIQUE (a, b)",
            "unique include": "ALTER TABLE customers ADD CONSTRAINT u UNIQUE (id) INCLUDE (name)",
            "unique duplicates": "ALTER TABLE customers ADD CONSTRAINT u UNIQUE (age)",
            "unique deferrable": "ALTER TABLE plain ADD CONSTRAINT u UNIQUE (a) DEFERRABLE INITIALLY DEFERRED",
            "unique using index": "ALTER TABLE ready ADD CONSTRAINT u UNIQUE USING INDEX ready_c",
            "unique using index, same name": "ALTER TABLE ready ADD CONSTRAINT ready_c UNIQUE USING INDEX ready_c",
            "unique using plain index": "ALTER TABLE ready ADD CONSTRAINT u UNIQUE USING INDEX ready_b",
            "unique using index of another": "ALTER TABLE plain ADD CONSTRAINT u UNIQUE USING INDEX ready_a",
            "unique using unknown index": "ALTER TABLE ready ADD CONSTRAINT u UNIQUE USING INDEX nonesuch",
            "exclude": "ALTER TABLE plain ADD CONSTRAINT x EXCLUDE USING gist (during WITH &&)",
            "exclude partial": "ALTER TABLE plain ADD CONSTRAINT x EXCLUDE USING gist (during WITH &&) WHERE (a > 5)",
            "drop primary, referenced": "ALTER TABLE customers DROP CONSTRAINT customers_pkey",
            "drop primary, cascade": "ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE",
            "drop primary": "ALTER TABLE cache DROP CONSTRAINT cache_pkey",
            "drop unique": "ALTER TABLE customers DROP CONSTRAINT customers_email_key",
            "rename with its index": "ALTER TABLE customers RENAME CONSTRAINT customers_email_key TO mail",
            "unknown column": "ALTER TABLE customers ADD UNIQUE (nonesuch)",
            "name taken by an index": "ALTER TABLE customers ADD CONSTRAINT customers_name UNIQUE (score)",
        },
    ),
    *group(
        "key",
        SHOP,
        {"unique nulls not distinct": "ALTER TABLE plain ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a)"},
        since=15,
    ),
    *group(
        "foreign key",
        SHOP,
        {
            "add": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers",
            "add to a unique column": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES ready (a)",
            "add not valid": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers NOT VALID",
            "add to itself": "ALTER TABLE customers ADD CONSTRAINT f FOREIGN KEY (age) REFERENCES customers NOT VALID",
            "add to itself, checked": "ALTER TABLE ready ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES ready (a)",
            "add with orphans": "ALTER TABLE lines ADD CONSTRAINT f FOREIGN KEY (price) REFERENCES customers (id)",
            "add of another type": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES customers",
            "add to no key": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers (age)",
            "add to a table without key": "ALTER TABLE reviews ADD CONSTRAINT f FOREIGN KEY (stars) REFERENCES plain",
            "add to unknown": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES nonesuch",
            "add to a view": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES open_orders (id)",
            "add cascading": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers ON DELETE "
            "CASCADE "
            "ON UPDATE SET NULL DEFERRABLE",
            "permanent to unlogged": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES cache",
            "unlogged to permanent": "ALTER TABLE cache ADD COLUMN r integer REFERENCES customers",
            "validate": "ALTER TABLE reviews VALIDATE CONSTRAINT reviews_customer",
            "drop": "ALTER TABLE orders DROP CONSTRAINT orders_customer",
            "drop to itself": "ALTER TABLE orders DROP CONSTRAINT orders_parent",
            "alter": "ALTER TABLE orders ALTER CONSTRAINT orders_customer DEFERRABLE INITIALLY DEFERRED",
            "alter unknown": "ALTER TABLE orders ALTER CONSTRAINT nonesuch DEFERRABLE",
            "alter a check": "ALTER TABLE customers ALTER CONSTRAINT age_range DEFERRABLE",
            "drop two": "ALTER TABLE orders DROP CONSTRAINT orders_customer, DROP CONSTRAINT orders_parent",
        },
    ),
    *group(
        "foreign key",
        SHOP,
        {
            "not enforced": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers NOT ENFORCED",
            "stop enforcing": "ALTER TABLE orders ALTER CONSTRAINT orders_customer NOT ENFORCED",
            "enforce again": "ALTER TABLE orders ALTER CONSTRAINT orders_customer NOT ENFORCED; "
            "ALTER TABLE orders ALTER CONSTRAINT orders_customer ENFORCED",
        },
        since=18,
    ),
    *group(
        "refused check",
        SHOP,
        {
            "no condition": "ALTER TABLE plain ADD CHECK (a)",
            "window function": "ALTER TABLE plain ADD CHECK (row_number() OVER () > 1)",
            "system column": "ALTER TABLE plain ADD CHECK (xmin::text <> '')",
            "table's oid": "ALTER TABLE plain ADD CHECK (tableoid > 0)",
            "no such operator": "ALTER TABLE plain ADD CHECK (b = 3)",
            "names a relation": "ALTER TABLE plain ADD CHECK (a <> 'customers'::regclass::oid::integer)",
            "names no relation": "ALTER TABLE plain ADD CHECK (a <> 'nonesuch'::regclass::oid::integer)",
        },
    ),
)
