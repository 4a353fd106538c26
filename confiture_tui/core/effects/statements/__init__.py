"""What each kind of statement does: one module a family, one handler a kind of syntax-tree node."""
