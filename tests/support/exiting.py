"""A module whose import would end the program."""

raise SystemExit("not today")
