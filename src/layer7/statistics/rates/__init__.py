"""Rates of few events and times to an event, and how sure they are."""
