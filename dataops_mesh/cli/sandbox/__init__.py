"""What the commands of `mesh sandbox` do."""
