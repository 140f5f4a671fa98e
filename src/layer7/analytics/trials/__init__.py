"""What experiments are judged by: who was exposed to what, and what came of it."""
