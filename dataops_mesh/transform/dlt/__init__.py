"""A resource of dlt as a source: run confined, with the network and its own secret, into a file."""
