"""Each person her own comparison: what changes from one of her applications to another."""
