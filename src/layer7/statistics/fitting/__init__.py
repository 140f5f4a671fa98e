"""Models fitted to counts, and how far their numbers may move before the data object."""
