"""A store of an older format becomes one of this version's."""
