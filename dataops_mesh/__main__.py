"""`python -m dataops_mesh` is `mesh`."""

from dataops_mesh.cli.main import main

main()
