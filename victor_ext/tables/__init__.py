"""Rows from files and iterables, for those who read many: CSV, JSON Lines, and mappings."""
