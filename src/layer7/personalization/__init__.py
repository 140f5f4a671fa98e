"""What fits this person: her settings, and jobs in an order that helps her."""
