"""What the shipped models reach, in tables."""
