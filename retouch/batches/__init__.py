"""Many photographs: where they come from, who works on them, and what is kept."""
