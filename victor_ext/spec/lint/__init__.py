"""What in a document will hurt its client, and what the recipe does about it.

`findings` runs every rule of `RULES` over a document.
"""

from __future__ import annotations

from .rules import RULES, findings
from .subject import Finding

__all__ = ("RULES", "Finding", "findings")
