"""A session kept in a file, and played again.

A recording is JSON Lines: a header, then in order the events, what was asked of the service, and what it answered.
The answers are the models themselves, so that a replay is a service like the live one: it gives them in their time.
"""
