"""Is what a package sends and reads what its document says? Every operation is called, with values
that are made of the document as it was written, and that jsonschema admits.

`python -m tests.calls FOLDER` judges every document in a folder.
"""
