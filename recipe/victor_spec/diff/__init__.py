"""What changed between two versions of an OpenAPI document.

`facts` writes each document as one flat table, and `compare` holds the two tables against each
other; `python` compares the names of the two packages, and `report` shows both.
"""
