"""The checks that a declaration stands for, neutral of who executes them."""
