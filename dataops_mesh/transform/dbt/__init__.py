"""A dbt project as the transform of a product: read, built, tested, and never trusted."""
