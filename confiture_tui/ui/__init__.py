"""The screens: a thin Textual client of the service. It renders; it never touches a database."""
