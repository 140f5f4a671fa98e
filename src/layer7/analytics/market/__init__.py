"""What the job market does, over those who contribute."""
