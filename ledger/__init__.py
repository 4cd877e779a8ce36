"""Hybrid licences of creative catalogues to AI developers, on chain: terms, reports, splits, payouts, audit."""
