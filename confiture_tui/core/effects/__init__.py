"""What a statement does to what existed before it: locks, rewrites, scans, builds, and what it destroys."""
