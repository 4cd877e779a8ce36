"""What a rights holder earned, was paid and is owed, and why: worked out from the entries of the journals."""
