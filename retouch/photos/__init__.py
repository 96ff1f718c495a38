"""Photographs in and out: formats, decoding, encoding, metadata, provenance."""
