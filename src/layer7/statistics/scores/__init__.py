"""Does a score promise what comes, and does it put applications in the right order."""
