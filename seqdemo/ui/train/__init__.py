"""Small models trained while one looks on."""
