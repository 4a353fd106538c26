-- An order line may name a batch that was never cooked again.

ALTER TABLE w_order_line DROP CONSTRAINT w_order_line_batch_fkey;
