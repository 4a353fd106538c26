"""What a catalog is made of: one slotted, frozen dataclass for each kind of object, one file for each family."""
