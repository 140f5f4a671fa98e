"""What changes at a cut, and where it had better stand."""
