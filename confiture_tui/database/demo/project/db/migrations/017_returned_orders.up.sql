-- Parcels come back. Until now such orders were "cancelled", like those that never left the house, and nobody could
-- say how many jars had travelled for nothing. What was cancelled after four hours had left: it was returned.

BEGIN;

ALTER TYPE order_status ADD VALUE 'returned' BEFORE 'cancelled';

UPDATE w_order SET status = 'returned'
WHERE status = 'cancelled' AND status_changed_at > placed_at + interval '4 hours';

COMMIT;
