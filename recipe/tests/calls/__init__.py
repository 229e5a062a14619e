"""Is what a package sends and reads what its document says? Every operation is called, with values
that are made of the document as it was written.

`python -m tests.calls FILE...` judges documents.
"""
