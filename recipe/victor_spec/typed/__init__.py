"""Typed records over the JSON of answers: the settings beside a document, and what the templates
must know.
"""
