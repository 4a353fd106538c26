"""Migrations: who names their files how, who runs them how, and which of them have been applied."""
