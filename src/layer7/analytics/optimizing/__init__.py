"""What the optimizers are told: decisions, scores, and rows within people."""
