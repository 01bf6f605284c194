"""Small factories: what appears twice on the board is made here, once."""
