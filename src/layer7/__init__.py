"""Layer 7: the learning and optimization engine of a job-application agent."""

__version__ = "0.1.0"
