"""The engine: find, cut, invert, move, render."""
