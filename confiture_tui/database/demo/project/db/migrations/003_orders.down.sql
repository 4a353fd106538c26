-- Forgets the orders and their diary.

DROP FUNCTION open_order_event_month(date);
DROP TABLE w_order_event;
DROP TABLE w_payment;
DROP TABLE w_order_line;
DROP TABLE w_order;
