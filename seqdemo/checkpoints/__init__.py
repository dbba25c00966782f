"""Trained models on disk, from the Hub, and in one process's memory."""
