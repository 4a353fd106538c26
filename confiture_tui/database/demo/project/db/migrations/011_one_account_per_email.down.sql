-- One customer may have many accounts again. Also clears away what an index build that failed has left.

DROP INDEX CONCURRENTLY IF EXISTS w_customer_email_key;
