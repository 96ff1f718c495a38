"""What a training made becomes files that load."""
