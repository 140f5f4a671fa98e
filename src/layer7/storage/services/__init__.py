"""What callers ask of an opened home, and tell it, by people's own ids."""
