"""The chance of one application, as a sum that can be read, and what goes with it for one person alone."""
