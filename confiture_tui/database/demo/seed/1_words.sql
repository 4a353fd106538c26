-- The dice and the words that the shop's history is made of. Nothing here is random and nothing asks for the time:
-- every choice is a hash of the row's own number, so that the shop is the same shop on every machine and every server.

CREATE SCHEMA seed;

-- A choice from 0 to sides - 1 for row n; the salt keeps the choices for one row apart from each other.
CREATE FUNCTION seed.pick(n integer, salt integer, sides integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT ((hashint4extended(n, salt) & 2147483647) % sides)::integer $$;

CREATE FUNCTION seed.tenant_id(tenant integer) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (ARRAY[
        'b1d5a3c2-6f0e-4a57-9c1b-2f8e7d904a11', '27c9e8f4-1b3a-4d62-8e75-c06b5fa93d22',
        '5e8f1a70-93d4-4c2b-b6a8-71d2c4e05f33', 'c40a7b96-2e5d-4f81-a3c7-98e6b1d20744',
        '8d36f2e1-b7c0-4935-9f4a-e15a3c687b55', '13f7c5d8-a492-4e06-8b1d-4c7e9f20a666',
        'f96e0b34-58a1-4c7d-b2e9-3a8d6c5f1077', '6a2d9c87-e0f5-4b13-95c8-d7b4e1a63288'
    ]::uuid[])[tenant] $$;

-- The shop of a customer: the first is the largest, the last four are small.
CREATE FUNCTION seed.tenant_of(customer integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (ARRAY[1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8])[1 + customer % 16] $$;

CREATE FUNCTION seed.is_wholesale(customer integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT seed.pick(customer, 11, 18) = 0 $$;

-- The moment of an order: 30,000 of them in the 668 days from New Year 2025, between seven in the morning and ten at night.
-- Stable, as adding an interval to a time is: declared immutable, it would be called for each row instead of inlined.
CREATE FUNCTION seed.moment(n integer) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT timestamptz '2025-01-01 07:00:00+00'
               + ((n - 1) * 668 / 30000) * interval '1 day'
               + ((n - 1) * 668 % 30000) * interval '1.8 seconds'
               + seed.pick(n, 20, 60) * interval '1 second' $$;

CREATE FUNCTION seed.fruit(n integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (ARRAY[
        'Seville orange', 'Blood orange', 'Lemon', 'Lime', 'Grapefruit', 'Kumquat', 'Bergamot', 'Tangerine',
        'Apricot', 'Blackberry', 'Blackcurrant', 'Blueberry', 'Boysenberry', 'Cherry', 'Cranberry', 'Damson',
        'Elderberry', 'Fig', 'Gooseberry', 'Greengage', 'Medlar', 'Mirabelle', 'Mulberry', 'Peach',
        'Plum', 'Quince', 'Raspberry', 'Redcurrant', 'Rhubarb', 'Strawberry'
    ])[n] $$;

CREATE FUNCTION seed.first_name(n integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (ARRAY[
        'Ada', 'Agnes', 'Aino', 'Alba', 'Amélie', 'Anton', 'Astrid', 'Baptiste', 'Beatriz', 'Björn', 'Camille', 'Carlo',
        'Chloé', 'Clara', 'Daan', 'Dorothy', 'Edith', 'Elsa', 'Emil', 'Enzo', 'Fergus', 'Fiona', 'Florian', 'Freya',
        'Gaspard', 'Giulia', 'Greta', 'Hanna', 'Hugo', 'Ines', 'Iris', 'Jakob', 'Jeanne', 'Jonas', 'Juna', 'Katrin',
        'Lars', 'Léa', 'Leonor', 'Linus', 'Lotte', 'Louis', 'Lucía', 'Maeve', 'Marta', 'Mathilde', 'Matteo', 'Nils',
        'Noor', 'Oscar', 'Paola', 'Paul', 'Rosa', 'Ruben', 'Saskia', 'Simone', 'Théo', 'Vera', 'Willem', 'Zoë'
    ])[n] $$;

CREATE FUNCTION seed.last_name(n integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (ARRAY[
        'Almeida', 'Andersson', 'Aubert', 'Bakker', 'Baumann', 'Bernard', 'Bianchi', 'Blanchet', 'Brennan', 'Bruun',
        'Campbell', 'Castillo', 'Colombo', 'Dahl', 'de Vries', 'Delacroix', 'Dubois', 'Eriksen', 'Esposito', 'Fabre',
        'Ferreira', 'Fontaine', 'Fraser', 'Garnier', 'Girard', 'Gruber', 'Haas', 'Hansen', 'Hoffmann', 'Huber',
        'Iglesias', 'Jansen', 'Keller', 'Kowalska', 'Lambert', 'Larsen', 'Lefèvre', 'Lindqvist', 'MacLeod', 'Marchetti',
        'Martín', 'Mercier', 'Meyer', 'Moreau', 'Moretti', 'Müller', 'Navarro', 'Nielsen', 'Novák', 'O''Brien',
        'Olsen', 'Ortega', 'Peeters', 'Petit', 'Ramos', 'Renard', 'Ricci', 'Rossi', 'Roux', 'Santos',
        'Schmid', 'Schneider', 'Silva', 'Sinclair', 'Sørensen', 'Steiner', 'Stewart', 'Tanguy', 'Torres', 'Valente',
        'van Dijk', 'Vidal', 'Virtanen', 'Vogel', 'Wagner', 'Walsh', 'Weber', 'Wouters', 'Zeller', 'Zimmermann'
    ])[n] $$;

CREATE FUNCTION seed.city(n integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (ARRAY[
        'Aarhus', 'Annecy', 'Antwerp', 'Avignon', 'Basel', 'Bergen', 'Bologna', 'Bordeaux', 'Braga', 'Bruges',
        'Cork', 'Delft', 'Dijon', 'Dundee', 'Freiburg', 'Galway', 'Genoa', 'Ghent', 'Girona', 'Graz',
        'Haarlem', 'Inverness', 'Kraków', 'Lausanne', 'Leiden', 'Lyon', 'Malmö', 'Modena', 'Nantes', 'Perth',
        'Porto', 'Salzburg', 'Seville', 'Siena', 'Strasbourg', 'Tartu', 'Toulouse', 'Turku', 'Uppsala', 'Valencia'
    ])[n] $$;

CREATE FUNCTION seed.street(n integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (ARRAY[
        'Orchard Lane', 'Mill Street', 'Church Road', 'Market Square', 'Harbour Row', 'Station Road', 'Bridge Street',
        'Garden Walk', 'High Street', 'Quince Alley', 'Linden Avenue', 'Castle Hill', 'River Side', 'Sugar Wharf',
        'Chapel Street', 'Old Town Road'
    ])[n] $$;
