"""A person's own log of a job search, as she wrote it into a spreadsheet, read as events."""
