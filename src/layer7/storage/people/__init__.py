"""What is kept of a person as a person: her keys, her consent, her wishes, what she declared."""
