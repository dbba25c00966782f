"""The commands of `python -m seqdemo`, a module each: its options, and what it does with them."""
