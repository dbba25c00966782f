"""Dates, written anew by a model with attention."""
