# Written by `make generate`; edits are lost. See openapi/README.md.
"""Contains endpoint functions for accessing the API"""
