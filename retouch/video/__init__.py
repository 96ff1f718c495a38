"""Moving pictures: cameras, files, and faces followed through them."""
