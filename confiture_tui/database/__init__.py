"""Connections to PostgreSQL, the embedded server, and the demo's database."""
