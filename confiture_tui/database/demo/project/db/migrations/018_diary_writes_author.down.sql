-- All the world is a stage again.

ALTER TABLE w_order_event RENAME COLUMN author TO actor;
