"""Settings and loop of a training run."""
