"""What the chain names by hash, read from the store of files and worked out again."""
