-- No order without its channel. Since 004 a CHECK has seen to that for new orders; the old ones are looked through now,
-- while the shop sells on. That done, the column can be declared NOT NULL without another look: the CHECK is the proof,
-- and has served.

SET LOCAL lock_timeout = '2s';

ALTER TABLE w_order VALIDATE CONSTRAINT w_order_channel_known;
ALTER TABLE w_order ALTER COLUMN channel SET NOT NULL;
ALTER TABLE w_order DROP CONSTRAINT w_order_channel_known;
