"""An edited crop back into its photo, so that only the face changes."""
