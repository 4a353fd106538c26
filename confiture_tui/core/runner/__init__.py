"""Applying migrations, and taking them back: with a plan, a journal, and others let through."""
