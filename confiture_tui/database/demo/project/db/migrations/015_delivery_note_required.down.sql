-- An order may come without a note again.

ALTER TABLE w_order ALTER COLUMN delivery_note DROP NOT NULL;
