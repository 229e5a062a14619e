"""Typed Python packages from OpenAPI 3 documents, and what breaks when a document changes.

The commands are those of `victor-spec`; see `recipe/docs/packages.md` and
`recipe/docs/changes.md` of the repository.
"""

from ._version import __version__

__all__ = ["__version__"]
