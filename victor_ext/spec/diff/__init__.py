"""What changed between two versions of an OpenAPI document: on the wire, and in the Python made of it.

`components` gives every part of a document a place and the operations that reach it. `compare` finds what differs.
`entries` joins what differs on the wire with what differs in the generated packages. `formats` shows it.
"""

from __future__ import annotations
