"""Retouching in the photograph's own pixels: skin, eyes and teeth, no generator."""
