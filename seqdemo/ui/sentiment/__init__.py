"""Live sentiment: a review, five verdicts, the curves; and a table of reviews."""
