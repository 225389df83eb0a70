"""`mesh run` and `mesh publish`: what is built, chosen, built again, delivered and ended."""
