"""What `mesh init`, `mesh new` and `mesh import` write: files that a team goes on with."""
