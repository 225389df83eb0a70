"""What repositories know of each other: who owns a domain, what each declared."""
