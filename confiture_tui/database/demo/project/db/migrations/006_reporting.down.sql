-- Takes the lists off the wall.

DROP MATERIALIZED VIEW r_monthly_sales;
DROP VIEW v_batch_recipient;
DROP VIEW v_wholesale_contact;
DROP VIEW v_packing_list;
