"""What a finished picture carries to say what was done to it, and to undo it."""
