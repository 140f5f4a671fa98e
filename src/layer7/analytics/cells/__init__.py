"""Applications by the levels of what they are like, for patterns and chances."""
