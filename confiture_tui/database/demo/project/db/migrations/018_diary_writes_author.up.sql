-- The auditors read "actor" as somebody on a stage. In their own diary it is called the author, and so in ours.

ALTER TABLE w_order_event RENAME COLUMN actor TO author;
