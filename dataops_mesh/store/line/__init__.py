"""Lines of releases beside production: sandboxes, over the same candidates and the same tree."""
