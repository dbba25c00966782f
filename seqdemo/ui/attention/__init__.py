"""Where a Transformer looks, and whether it matters."""
