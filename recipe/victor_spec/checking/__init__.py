"""Whether a generated package does what its document says, observed by calling it; `check` is the
beginning.

What judges shares with what generates only the functions of `tree`: which operations there are,
where a reference leads, which schemas extend another. So one mistake cannot hide on both sides.
"""
