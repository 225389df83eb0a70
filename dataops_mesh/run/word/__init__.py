"""A person's word: holding, lifting, rolling back, withdrawing; and what follows for readers."""
