"""The doors: events in, settings out, review, over HTTP; every one of them locked but /health and /ready."""
