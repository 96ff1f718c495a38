"""What uses the engine: saved faces, ranges, learning, rating, attributes."""
