"""Tables that the night makes and everybody reads."""
