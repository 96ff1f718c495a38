"""Faces as latents: searched for, tuned, kept in files."""
