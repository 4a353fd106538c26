-- The counter asks the write side again.
-- Tables are locked in the order in which the application locks them, or each would wait for the other.

DROP TRIGGER w_order_updated ON w_order;
DROP TRIGGER w_order_inserted ON w_order;
DROP TRIGGER w_order_line_deleted ON w_order_line;
DROP TRIGGER w_order_line_updated ON w_order_line;
DROP TRIGGER w_order_line_inserted ON w_order_line;
DROP FUNCTION project_changed_orders();
DROP TABLE r_order_list;
DROP VIEW v_order_list;
