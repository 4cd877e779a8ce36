"""Verified history: what an audit leaves for the next one. See docs/explain/decisions/0017-verified-history.md."""
