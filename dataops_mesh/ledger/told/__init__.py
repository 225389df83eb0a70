"""What is told of what has just come on record.

facts   rows of the ledger -> flat events; pure
log     a line of JSON for each
"""
