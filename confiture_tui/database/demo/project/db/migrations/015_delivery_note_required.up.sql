-- The courier's new app shows the delivery note, and shows an empty parcel where there is none.
-- Every order has one, says the courier.

ALTER TABLE w_order ALTER COLUMN delivery_note SET NOT NULL;
