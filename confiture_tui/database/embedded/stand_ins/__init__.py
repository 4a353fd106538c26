"""Stand-ins for extensions that the embedded programs may lack: control files and SQL of our own, for 18 only.

They keep migrations that create ``pgcrypto`` or ``uuid-ossp`` running on a shadow. They are not the extensions: what
they cannot do raises an error that says so, and their comments call them stand-ins.
"""
