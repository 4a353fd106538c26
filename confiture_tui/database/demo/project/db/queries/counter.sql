-- What the counter asks all day long: none of it may break, nor read a table from end to end that it did not before.

SELECT order_number, customer_name, status, total_cents
FROM r_order_summary
WHERE tenant_id = $1
ORDER BY placed_at DESC
LIMIT 20;

SELECT customer_name, order_count, spent_cents
FROM r_customer_overview
WHERE tenant_id = $1 AND customer_id = $2;

UPDATE w_order SET status = $3, status_changed_at = now()
WHERE tenant_id = $1 AND order_id = $2;

SELECT order_number, product_name, jar_count, batch_code
FROM v_packing_list
WHERE tenant_id = $1
ORDER BY order_number, line_number;
