"""A text is begun, and language models write on."""
