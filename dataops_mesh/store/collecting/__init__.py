"""What a collection leaves, and what it takes away."""
