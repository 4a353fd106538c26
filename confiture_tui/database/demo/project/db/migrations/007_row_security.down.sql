-- Lets every session see every shop again.

DROP POLICY r_customer_overview_of_tenant ON r_customer_overview;
ALTER TABLE r_customer_overview DISABLE ROW LEVEL SECURITY;
DROP POLICY r_order_summary_of_tenant ON r_order_summary;
ALTER TABLE r_order_summary DISABLE ROW LEVEL SECURITY;
DROP POLICY w_payment_of_tenant ON w_payment;
ALTER TABLE w_payment DISABLE ROW LEVEL SECURITY;
DROP POLICY w_order_line_of_tenant ON w_order_line;
ALTER TABLE w_order_line DISABLE ROW LEVEL SECURITY;
DROP POLICY w_order_of_tenant ON w_order;
ALTER TABLE w_order DISABLE ROW LEVEL SECURITY;
DROP POLICY w_customer_of_tenant ON w_customer;
ALTER TABLE w_customer DISABLE ROW LEVEL SECURITY;
