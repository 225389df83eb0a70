"""What a change would do, as data, before it is done; and which columns come from where."""
