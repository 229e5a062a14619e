"""What changed between two versions of an OpenAPI document: on the wire, and in the Python made of
it.

`compare` finds what differs on the wire, and joins it with what differs in the generated packages,
which `python` compares. `formats` shows it.
"""

from __future__ import annotations
