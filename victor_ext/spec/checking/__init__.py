"""Whether a generated package does what its document says, observed by calling it; `check` is the beginning.

The document is read by the functions of `tree`, as everywhere: which operations there are, where a reference leads, and
which schemas extend another. Which function an operation has, its module says. What judges shares nothing else with
what generates: `views` reads the schemas in its own way, `expected` writes a request from the tables of the OpenAPI
specification, and an answer is compared with the JSON that was sent. So one mistake cannot hide on both sides.
"""
