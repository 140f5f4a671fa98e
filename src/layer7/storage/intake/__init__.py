"""Events in: files, lines and single events become rows of the log, exactly once."""
