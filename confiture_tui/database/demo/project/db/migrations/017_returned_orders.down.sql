-- Returned orders are cancelled ones again. The word itself stays: an enum gives no value back.

UPDATE w_order SET status = 'cancelled' WHERE status = 'returned';
