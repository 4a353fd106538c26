-- Forgets the customers, the jams and the pots.

DROP TABLE w_batch;
DROP TABLE w_product;
DROP TABLE w_customer;
