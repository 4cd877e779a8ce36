"""Licence terms in the standards: RSL 1.0, ODRL 2.2, CAWG; and what each of them cannot say."""
