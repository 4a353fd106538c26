-- Brings the column back, empty: the numbers are gone with the first move.

ALTER TABLE w_customer ADD COLUMN fax text;
