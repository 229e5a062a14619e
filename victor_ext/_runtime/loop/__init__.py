"""The attempt loop: what is sent, what a response means, whether and when it is sent again."""
