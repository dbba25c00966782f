"""How many words until a model has forgotten."""
