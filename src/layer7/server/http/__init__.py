"""What all doors share: who asks, how much may come, how answers and refusals look."""
