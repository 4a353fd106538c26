"""Hooks: code of the user's that runs at six points of a migration, on its connection."""
