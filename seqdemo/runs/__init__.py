"""Training runs seen from outside their processes: started, steered, looked at, kept, recorded. Knows no torch."""
