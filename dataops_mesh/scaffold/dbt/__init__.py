"""What `mesh import dbt` writes for a dbt project."""
