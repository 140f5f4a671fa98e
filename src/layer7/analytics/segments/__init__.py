"""Segments of people: who belongs to which, what they do, and how they fare."""
