"""Picture files: formats, decoding, encoding and metadata, behind retouch.photo."""
