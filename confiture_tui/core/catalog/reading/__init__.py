"""How a catalog is read: one file for each family, with its query and what makes objects of the rows."""
