"""The core: synchronous, without screens, usable as a library."""
