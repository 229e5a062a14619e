"""A rehearsal of the day on which a document changes: is what the comparison says of a change true?

`cases` has the changes. `provider` serves a document strictly, and `exchange` lets the client of
the old document talk to it. `user_code` writes what a user of the old package would write.
`make rehearsal` runs all cases.
"""
