"""What others may see: what each person contributes, and what released weeks say."""
