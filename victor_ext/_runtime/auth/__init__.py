"""Tokens, and the credentials that they are made from."""
