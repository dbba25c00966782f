"""The five models: their equations, torch's fused layers over the same weights, and the registry."""
