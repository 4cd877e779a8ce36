"""The rights holder's page: what everyone may see, each figure with the key by which a browser proves it."""
