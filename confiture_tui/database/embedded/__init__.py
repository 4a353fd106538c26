"""An embedded PostgreSQL server for the demo, for shadow databases and for tests."""

from confiture_tui.database.embedded.binaries import Binaries, find_binaries
from confiture_tui.database.embedded.server import EmbeddedServer

__all__ = ["Binaries", "EmbeddedServer", "find_binaries"]
