"""Safe rewrites: complete SQL with the user's own names, in the transactions and with the time-outs that it needs."""
