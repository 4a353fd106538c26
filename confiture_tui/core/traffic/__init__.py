"""Other sessions: who waits behind us, who is in our way, and giving way to them."""
