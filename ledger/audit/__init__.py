"""The audit: trusts an anchor block hash and nothing else."""
