"""The errors of documents that cannot be read."""

from __future__ import annotations


class DocumentError(Exception):
    """The file is not an OpenAPI 3 document; the message says why and what to do."""


class PlaceError(DocumentError):
    """A part of a document is wrong; the message begins with its place in the document, and does not name the file."""
