-- No more cards. What customers wanted written on them is lost.

ALTER TABLE w_order DROP COLUMN gift_note;
