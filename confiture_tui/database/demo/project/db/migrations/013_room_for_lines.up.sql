-- Last Christmas the shops wrote a million order lines in a week. At that pace the numbers, which are integers, run out
-- in forty years, and whoever works here then shall not have to do this in a hurry.

ALTER TABLE w_order_line ALTER COLUMN order_line_id TYPE bigint;
