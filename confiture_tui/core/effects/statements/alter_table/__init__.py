"""ALTER TABLE in all its sub-commands, phase by phase as the server goes (PostgreSQL's ``tablecmds.c``).

First each sub-command is prepared and its recursion to children queued, then the sub-commands run in passes, at last
each table in the queue is rewritten or checked, once, and foreign keys are validated.
"""
