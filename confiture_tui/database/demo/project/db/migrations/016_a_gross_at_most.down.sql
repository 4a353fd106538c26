-- Whoever has a larger box, or a cat, may order more.

ALTER TABLE w_order_line DROP CONSTRAINT w_order_line_gross_check;
