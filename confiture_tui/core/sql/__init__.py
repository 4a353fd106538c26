"""The PostgreSQL grammar behind one small door; splitting a script into statements without loss."""
