"""Many numbers at once: what is believed of each, and which may be shown."""
