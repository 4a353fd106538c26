-- Half of the marmalade ordered in December is a present, and customers ask whether we can put a card in.
-- The card's text goes with the order; an order without a card has none.

SET LOCAL lock_timeout = '2s';

ALTER TABLE w_order ADD COLUMN gift_note text;

COMMENT ON COLUMN w_order.gift_note IS 'What we write on the card; null when there is no card.';
