-- Takes the seals off again. Codes already printed lead nowhere after this.

ALTER TABLE w_order_line DROP COLUMN seal;
