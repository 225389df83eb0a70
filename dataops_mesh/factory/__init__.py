"""Dagster definitions made from declarations; the only layer that names Dagster."""
