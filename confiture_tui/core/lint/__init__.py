"""Linting: what is wrong with a schema, what a migration adds or mends, and the SQL that mends it."""
