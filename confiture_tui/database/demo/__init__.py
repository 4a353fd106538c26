"""The demo shop: a jam shop's database and its project, for whoever has no database at hand.

``project/`` is a project as ``confiture`` lays it out, package data and read-only; ``seed/`` is the shop's history,
which is not part of the project; ``shop.py`` builds both into a server.
"""
