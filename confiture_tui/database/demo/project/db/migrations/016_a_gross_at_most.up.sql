-- A cat on a keyboard ordered 9,999 jars of quince. A gross of jars is what the largest box holds: no line has more.
-- NOT VALID, then VALIDATE: that is the way to do it without stopping anybody, we have read.

ALTER TABLE w_order_line
    ADD CONSTRAINT w_order_line_gross_check CHECK (jar_count <= 144) NOT VALID;

ALTER TABLE w_order_line VALIDATE CONSTRAINT w_order_line_gross_check;
