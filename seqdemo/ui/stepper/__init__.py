"""Two models along one text, and a cell worked out by hand."""
