"""Did it really help: who gets which variant, and what the arms say of each other."""
