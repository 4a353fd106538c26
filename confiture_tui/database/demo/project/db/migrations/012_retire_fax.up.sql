-- The fax machine went to the museum of everyday life. Nobody has ordered chutney by fax since 2011,
-- and the number need not be asked of new customers any longer.

ALTER TABLE w_customer DROP COLUMN fax;
