-- One day in June a shop's newsletter went out to another shop's customers. Since then the database itself keeps
-- the shops apart: a session that has said whose shop it works for sees that shop's rows, and any other sees none.
-- The lists of 006 read with their owner's eyes and are printed by the owner, shop by shop; nobody else is let at them.

ALTER TABLE w_customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY w_customer_of_tenant ON w_customer
    USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());

ALTER TABLE w_order ENABLE ROW LEVEL SECURITY;
CREATE POLICY w_order_of_tenant ON w_order
    USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());

ALTER TABLE w_order_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY w_order_line_of_tenant ON w_order_line
    USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());

ALTER TABLE w_payment ENABLE ROW LEVEL SECURITY;
CREATE POLICY w_payment_of_tenant ON w_payment
    USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());

ALTER TABLE r_order_summary ENABLE ROW LEVEL SECURITY;
CREATE POLICY r_order_summary_of_tenant ON r_order_summary
    USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());

ALTER TABLE r_customer_overview ENABLE ROW LEVEL SECURITY;
CREATE POLICY r_customer_overview_of_tenant ON r_customer_overview
    USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());
