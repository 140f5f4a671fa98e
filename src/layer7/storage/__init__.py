"""The only room that touches a disk or a database: event log, derived tables, state."""
