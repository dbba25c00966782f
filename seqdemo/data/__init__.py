"""Reviews to encoded examples to padded batches."""
