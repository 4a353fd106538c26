-- Back to asking the write side.

DROP TRIGGER r_order_summary_deleted ON r_order_summary;
DROP TRIGGER r_order_summary_updated ON r_order_summary;
DROP TRIGGER r_order_summary_inserted ON r_order_summary;
DROP TRIGGER w_customer_renamed ON w_customer;
DROP TRIGGER w_customer_updated ON w_customer;
DROP TRIGGER w_customer_inserted ON w_customer;
DROP TRIGGER w_payment_inserted ON w_payment;
DROP TRIGGER w_order_line_deleted ON w_order_line;
DROP TRIGGER w_order_line_updated ON w_order_line;
DROP TRIGGER w_order_line_inserted ON w_order_line;
DROP TRIGGER w_order_updated ON w_order;
DROP TRIGGER w_order_inserted ON w_order;
DROP TRIGGER w_order_stepped ON w_order;
DROP TRIGGER w_order_placed ON w_order;

DROP FUNCTION record_order_event();
DROP FUNCTION rename_customer_on_orders();
DROP FUNCTION project_changed_customers();
DROP FUNCTION project_changed_orders();

DROP VIEW v_customer_overview;
DROP TABLE r_customer_overview;
DROP VIEW v_order_summary;
DROP TABLE r_order_summary;
