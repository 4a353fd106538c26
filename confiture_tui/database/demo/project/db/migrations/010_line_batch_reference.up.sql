-- In October a batch of blackcurrant jelly had to be called back, and nobody could swear that every order line named
-- a batch that we had really cooked. They all do, somebody counted; now the database is to see to it.

ALTER TABLE w_order_line
    ADD CONSTRAINT w_order_line_batch_fkey FOREIGN KEY (tenant_id, batch_id)
        REFERENCES w_batch (tenant_id, batch_id);
