"""The demonstration: real data, a chain of its own, and the whole life of four licences."""
