"""Whether a generated package does what its document says, found out by calling it.

Nothing here uses the code that generates: what a request should be is written from the tables of the OpenAPI
specification, and what an answer should give is compared with the JSON that was sent.
"""
