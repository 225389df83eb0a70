"""Types of columns: their names, their shapes, how they are stored, and as others write them."""
