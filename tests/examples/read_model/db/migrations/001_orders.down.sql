DROP TABLE w_order_line;
DROP TABLE w_order;
DROP TABLE tenant;
