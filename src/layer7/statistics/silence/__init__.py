"""What silence means: delays of answers, and rates when most answers are still to come."""
