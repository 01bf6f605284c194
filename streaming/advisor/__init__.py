"""Answers "what would this verdict change?" and "what if?", beside the board."""
