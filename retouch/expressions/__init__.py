"""One face's expression on another, and the measures that prove it."""
