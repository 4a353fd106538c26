"""Queries, writes of rows, and code that runs: what reading them means for locks, scans and other tables."""
