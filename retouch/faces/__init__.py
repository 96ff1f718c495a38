"""Faces in a photo: found, large or small, upright or turned."""
