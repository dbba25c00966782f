"""Which words carry a verdict: a model and a text to arrays."""
