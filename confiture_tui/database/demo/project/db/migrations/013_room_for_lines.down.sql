-- Small numbers again. Fails, and changes nothing, once a line has a number above 2,147,483,647.

ALTER TABLE w_order_line ALTER COLUMN order_line_id TYPE integer;
