"""Measurements: gas beside the peers, speed beside what people use. Run `python -m benchmarks --help`."""
