"""DataOps metrics: how often, how fast and how well a mesh changes. docs/metrics.md has formulas.

commits    git -> when each commit was made, and which ones a deployment brought
history    ledger and commits -> what happened to each product
weeks      the last twelve weeks of all products, kept and caught up
measures   history and a period -> the numbers; pure
"""
