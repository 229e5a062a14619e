"""What a client and its resources are made of."""
