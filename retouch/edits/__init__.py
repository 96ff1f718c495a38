"""What moves a latent: directions, ascent, what users teach; and its whole range."""
