"""What was measured of the models, rerunnable, and the tables that charts are made of."""
