"""Building a publication again, from what is kept of what it was built from."""
