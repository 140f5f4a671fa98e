"""Run the command line with ``python -m layer7``."""

from layer7.cli import main

main()
