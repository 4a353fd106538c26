-- From spring on, a customer who scans the seal on the lid sees the orchard that the fruit came from.
-- Every order line gets a seal of its own, those of the past two years as well: their jars still stand in cupboards.

ALTER TABLE w_order_line ADD COLUMN seal uuid NOT NULL DEFAULT gen_random_uuid();

COMMENT ON COLUMN w_order_line.seal IS 'What the code on the lid says.';
