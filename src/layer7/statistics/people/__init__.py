"""People beside people: how rates differ, where one stands, and whether they change."""
