"""A module that cannot be imported."""

raise ImportError("no module named 'acme_core'")
