"""Usage: files of who used which work how often, read, checked and written back; what follows from them."""
