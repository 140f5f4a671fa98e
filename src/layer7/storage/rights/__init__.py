"""Forgetting a person: every place that may hold her, and how she is taken out of it."""
