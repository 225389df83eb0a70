"""Drawings as plain numbers and words, which templates write as SVG."""
