"""What is on record of trouble: incidents, which checks they are about, and who was told.

incidents    opened and closed, and looks at what is published
faults       which checks failed, as names
deliveries   what a channel was told
exports      what came of each copy of a published port
claims       who is telling it now
"""
