# Written by `make generate`; edits are lost. See openapi/README.md.
"""Contains methods for accessing the API"""
