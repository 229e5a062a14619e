"""What the provider keeps of notes and references: lengths and characters. No document of it says so."""

from __future__ import annotations

import re

from victor_ext.sandbox.victor.settings import SandboxSettings

_OTHERS = {"any": r"(?!)", "latin-1": r"[^\x00-\xff]", "ascii": r"[^\x00-\x7f]", "basic": r"[^A-Za-z0-9. ]"}
"""What matches a character that is not of a kind."""


def kept(settings: SandboxSettings, name: str, text: str) -> tuple[str, str | None]:
    """What is kept of `notes` or a reference, and why it is refused, if it is."""
    limit, characters = settings.notes_limit, settings.notes_characters
    if name == "client_reference_id":
        limit, characters = settings.reference_limit, settings.reference_characters
    refused, others = None, re.compile(_OTHERS[characters])
    if settings.long_texts == "refuse" and len(text) > limit:
        refused = f"has more than {limit} characters"
    if settings.other_characters == "refuse" and others.search(text):
        refused = "has characters that are not allowed"
    text = others.sub("?" if settings.other_characters == "replace" else "", text)
    return (text.strip(" ") if settings.trim_texts else text)[:limit], refused
