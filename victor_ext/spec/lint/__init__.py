"""What in a document will hurt its client, and what the recipe does about it.

`findings` runs every rule of `RULES` over a document. `examples` has the rule that validates examples, and `plain_text`
the rule that reads the file itself.
"""

from __future__ import annotations

from .finding import Finding
from .rules import RULES, findings

__all__ = ("RULES", "Finding", "findings")
