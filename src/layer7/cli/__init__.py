"""Commands: the edge where people type, clocks tick and answers are printed."""

from layer7.cli.app import main

__all__ = ["main"]
