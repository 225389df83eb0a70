"""Policies: executable rules about declarations, their configuration and their waivers."""
