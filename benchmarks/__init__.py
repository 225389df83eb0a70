"""Benchmarks: every figure is a ratio of contestants measured side by side in one run.

python -m benchmarks --help
"""
