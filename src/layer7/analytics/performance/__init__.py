"""How each person's applications went, by month and week, and how everybody's did."""
