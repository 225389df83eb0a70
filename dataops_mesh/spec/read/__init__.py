"""Reading documents: YAML to frozen declarations, every problem with its line."""
