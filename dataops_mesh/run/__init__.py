"""Running a product: bind, transform, audit, decide, commit. Knows no Dagster."""
