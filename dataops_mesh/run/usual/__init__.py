"""What is usual for a product, by its own history, and what is not. docs/unusual.md.

bounds    a series and a day -> from where to where a number is usual; pure
lateness  when each day was published -> whether one comes later than usual; pure
refusals  days -> whether more builds are refused than usual; pure
remarks   ledger -> what is unusual about a product and its last build
judging   a candidate and the ledger -> results of the checks that ask for it
"""
