-- A stand-in for uuid-ossp: all its functions; version 1 knows no network card and uses a random node.
-- Written from the documentation of uuid-ossp (signatures, limits). Bodies in SQL's own syntax (RETURN …) are bound when
-- they are created, so that the extension can be moved to another schema.
\echo Use 'CREATE EXTENSION "uuid-ossp"' to load this file. \quit

CREATE FUNCTION uuid_nil() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '00000000-0000-0000-0000-000000000000'::uuid;

-- The name spaces of RFC 9562, section 6.6.
CREATE FUNCTION uuid_ns_dns() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_url() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_oid() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_x500() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pg_catalog.gen_random_uuid();

-- RFC 9562, section 5.1: 60 bits of time in steps of 100 ns since 15 October 1582, 12219292800 seconds before 1970; then
-- 14 bits of clock sequence and 48 of node, here random, with the bit that marks a node that is no network card's.
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    ticks text := lpad(to_hex((extract(epoch FROM clock_timestamp()) * 10000000)::bigint + 122192928000000000), 15, '0');
    random bytea := substring(uuid_send(gen_random_uuid()) FROM 9 FOR 8);
BEGIN
    random := set_byte(random, 2, get_byte(random, 2) | 1);
    RETURN (substr(ticks, 8, 8) || substr(ticks, 4, 4) || '1' || substr(ticks, 1, 3) || encode(random, 'hex'))::uuid;
END $$;

CREATE FUNCTION uuid_generate_v1() RETURNS uuid LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN uuid_generate_v1mc();

-- RFC 9562, sections 5.3 and 5.5: the first 128 bits of a hash, with version and variant written over six of them.
CREATE FUNCTION uuid_ossp_stand_in_named(hash bytea, version integer) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.encode(
    pg_catalog.set_byte(
        pg_catalog.set_byte(
            pg_catalog.substring(hash, 1, 16), 6, (pg_catalog.get_byte(hash, 6) & 15) + version * 16),
        8, (pg_catalog.get_byte(hash, 8) & 63) + 128), 'hex')::uuid;

CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN uuid_ossp_stand_in_named(pg_catalog.decode(pg_catalog.md5(pg_catalog.uuid_send(namespace)
    || pg_catalog.convert_to(name, pg_catalog.getdatabaseencoding())), 'hex'), 3);

-- SHA-1 as FIPS 180-4 describes it (5.1.1 padding, 6.1.2 computation), for PostgreSQL has no function for it. Words are
-- bigint, cut to 32 bits. All of these operators bind equally strong in SQL, hence the parentheses. It takes milliseconds, which is enough for what a migration hashes.
CREATE FUNCTION uuid_ossp_stand_in_sha1(message bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    mask constant bigint := 4294967295;
    padded bytea;
    w bigint[];
    h0 bigint := 1732584193;  -- 67452301
    h1 bigint := 4023233417;  -- efcdab89
    h2 bigint := 2562383102;  -- 98badcfe
    h3 bigint := 271733878;   -- 10325476
    h4 bigint := 3285377520;  -- c3d2e1f0
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint;
BEGIN
    padded := message || '\x80'::bytea
        || decode(repeat('00', (119 - length(message) % 64) % 64), 'hex')
        || int8send(8 * length(message)::bigint);
    FOR block IN 0 .. length(padded) / 64 - 1 LOOP
        FOR i IN 0 .. 15 LOOP
            w[i] := get_byte(padded, 64 * block + 4 * i)::bigint * 16777216
                + get_byte(padded, 64 * block + 4 * i + 1) * 65536
                + get_byte(padded, 64 * block + 4 * i + 2) * 256
                + get_byte(padded, 64 * block + 4 * i + 3);
        END LOOP;
        FOR i IN 16 .. 79 LOOP
            t := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
            w[i] := ((t << 1) | (t >> 31)) & mask;
        END LOOP;
        a := h0; b := h1; c := h2; d := h3; e := h4;
        FOR i IN 0 .. 79 LOOP
            CASE i / 20
                WHEN 0 THEN f := (b & c) | ((b # mask) & d); k := 1518500249;              -- 5a827999
                WHEN 1 THEN f := b # c # d; k := 1859775393;                              -- 6ed9eba1
                WHEN 2 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;            -- 8f1bbcdc
                ELSE f := b # c # d; k := 3395469782;                                     -- ca62c1d6
            END CASE;
            t := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i]) & mask;
            e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := t;
        END LOOP;
        h0 := (h0 + a) & mask; h1 := (h1 + b) & mask; h2 := (h2 + c) & mask; h3 := (h3 + d) & mask; h4 := (h4 + e) & mask;
    END LOOP;
    RETURN decode(lpad(to_hex(h0), 8, '0') || lpad(to_hex(h1), 8, '0') || lpad(to_hex(h2), 8, '0')
        || lpad(to_hex(h3), 8, '0') || lpad(to_hex(h4), 8, '0'), 'hex');
END $$;

CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN uuid_ossp_stand_in_named(uuid_ossp_stand_in_sha1(pg_catalog.uuid_send(namespace)
    || pg_catalog.convert_to(name, pg_catalog.getdatabaseencoding())), 5);
