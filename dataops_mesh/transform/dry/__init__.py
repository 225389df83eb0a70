"""What can be known before a row is read: names, types, imports, files that are not there."""
