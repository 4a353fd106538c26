"""Trying a migration: on a disposable shadow, or in place in a transaction that is always rolled back."""
