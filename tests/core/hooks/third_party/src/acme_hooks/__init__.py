"""Hooks of a package that does not exist."""
