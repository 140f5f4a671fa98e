"""The databases of an installation: tables, one unit of work for every change, locks, what is durable."""
