"""The executable model: pure functions and state machines, without I/O."""
