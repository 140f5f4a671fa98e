"""Applications from events, what each has come to, and how complete the log is."""
