"""The attempt loop: what is sent, what an answer means, whether and when it is sent again."""
