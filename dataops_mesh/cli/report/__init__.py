"""`mesh report` and `mesh serve`: what is shown of the whole mesh."""
