"""What the command line, the scripts and the demo do: one module per noun, no printing, typed results."""
