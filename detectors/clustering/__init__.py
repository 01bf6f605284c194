"""Grouping of candidates."""
