-- A stand-in for pgcrypto: digest, hmac and random bytes work, encryption says that it is not available.
-- Written from the documentation of pgcrypto (signatures, limits). Bodies in SQL's own syntax (RETURN …) are bound when
-- they are created, so that the extension can be moved to another schema.
\echo Use "CREATE EXTENSION pgcrypto" to load this file. \quit

-- SHA-1 as FIPS 180-4 describes it (5.1.1 padding, 6.1.2 computation), for PostgreSQL has no function for it. Words are
-- bigint, cut to 32 bits. All of these operators bind equally strong in SQL, hence the parentheses. It takes milliseconds, which is enough for what a migration hashes.
CREATE FUNCTION pgcrypto_stand_in_sha1(message bytea) RETURNS bytea
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

CREATE FUNCTION pgcrypto_stand_in_unknown(type text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'Cannot use "%": No such hash algorithm', type
        USING ERRCODE = 'invalid_parameter_value', HINT = 'This pgcrypto is a stand-in; it knows md5, sha1, sha224, sha256, sha384 and sha512.';
END $$;

CREATE FUNCTION digest(data bytea, type text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE pg_catalog.lower(type)
    WHEN 'md5' THEN pg_catalog.decode(pg_catalog.md5(data), 'hex')
    WHEN 'sha1' THEN pgcrypto_stand_in_sha1(data)
    WHEN 'sha224' THEN pg_catalog.sha224(data)
    WHEN 'sha256' THEN pg_catalog.sha256(data)
    WHEN 'sha384' THEN pg_catalog.sha384(data)
    WHEN 'sha512' THEN pg_catalog.sha512(data)
    ELSE pgcrypto_stand_in_unknown(type)
END;

CREATE FUNCTION digest(data text, type text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN digest(pg_catalog.convert_to(data, pg_catalog.getdatabaseencoding()), type);

-- A key, cut or filled up to one block of the hash, each byte combined with a constant (RFC 2104).
CREATE FUNCTION pgcrypto_stand_in_pad(key bytea, size integer, constant integer) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    padded bytea := key || decode(repeat('00', size - length(key)), 'hex');
BEGIN
    FOR i IN 0 .. size - 1 LOOP
        padded := set_byte(padded, i, get_byte(padded, i) # constant);
    END LOOP;
    RETURN padded;
END $$;

CREATE FUNCTION pgcrypto_stand_in_block(type text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN pg_catalog.lower(type) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;

CREATE FUNCTION pgcrypto_stand_in_key(key bytea, type text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN pg_catalog.length(key) > pgcrypto_stand_in_block(type) THEN digest(key, type) ELSE key END;

CREATE FUNCTION hmac(data bytea, key bytea, type text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN digest(
    pgcrypto_stand_in_pad(pgcrypto_stand_in_key(key, type), pgcrypto_stand_in_block(type), 92)
    || digest(pgcrypto_stand_in_pad(pgcrypto_stand_in_key(key, type), pgcrypto_stand_in_block(type), 54) || data, type), type);

CREATE FUNCTION hmac(data text, key text, type text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN hmac(
    pg_catalog.convert_to(data, pg_catalog.getdatabaseencoding()),
    pg_catalog.convert_to(key, pg_catalog.getdatabaseencoding()), type);

CREATE FUNCTION gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE RETURN pg_catalog.gen_random_uuid();

-- Each round hashes two random UUIDs, 244 random bits.
CREATE FUNCTION gen_random_bytes(count integer) RETURNS bytea
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    bytes bytea := '';
BEGIN
    IF count < 1 OR count > 1024 THEN
        RAISE EXCEPTION 'Length not in range' USING ERRCODE = 'external_routine_invocation_exception';
    END IF;
    WHILE length(bytes) < count LOOP
        bytes := bytes || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    END LOOP;
    RETURN substring(bytes FROM 1 FOR count);
END $$;

-- What a stand-in cannot do: functions that are there, so that what refers to them can be created, and say so when called.

CREATE FUNCTION crypt(password text, salt text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s crypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION gen_salt(type text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s gen_salt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION gen_salt(type text, iterations integer) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s gen_salt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION encrypt(data bytea, key bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s encrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION decrypt(data bytea, key bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s decrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION encrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s encrypt_iv is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION decrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s decrypt_iv is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_encrypt(data text, psw text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_encrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_decrypt(msg bytea, psw text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_decrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_encrypt(data text, key bytea) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_encrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_encrypt(data text, psw text, options text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_encrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_decrypt(msg bytea, psw text, options text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_decrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_encrypt(data text, key bytea, options text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_encrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_decrypt(msg bytea, key bytea) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_decrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_decrypt(msg bytea, key bytea, psw text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_decrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_decrypt(msg bytea, key bytea, psw text, options text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_decrypt is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_encrypt_bytea(data bytea, psw text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_encrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_decrypt_bytea(msg bytea, psw text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_decrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_encrypt_bytea(data bytea, key bytea) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_encrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_encrypt_bytea(data bytea, psw text, options text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_encrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_sym_decrypt_bytea(msg bytea, psw text, options text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_sym_decrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_encrypt_bytea(data bytea, key bytea, options text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_encrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_decrypt_bytea(msg bytea, key bytea) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_decrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_decrypt_bytea(msg bytea, key bytea, psw text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_decrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_pub_decrypt_bytea(msg bytea, key bytea, psw text, options text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_pub_decrypt_bytea is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_key_id(message bytea) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_key_id is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION armor(data bytea) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s armor is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION armor(data bytea, keys text[], "values" text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s armor is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION dearmor(data text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s dearmor is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION pgp_armor_headers(data text, OUT key text, OUT value text) RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s pgp_armor_headers is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION fips_mode() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'stand-in: pgcrypto''s fips_mode is not available on the embedded server' USING ERRCODE = 'feature_not_supported';
END $$;
