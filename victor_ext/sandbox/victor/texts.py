"""What the provider keeps of notes and references: lengths and characters. No document of it says so."""

from __future__ import annotations

import re

from victor_ext.sandbox.victor.settings import SandboxSettings

_OTHERS = {
    "any": re.compile(r"(?!)"),
    "latin-1": re.compile(r"[^\x00-\xff]"),
    "ascii": re.compile(r"[^\x00-\x7f]"),
    "basic": re.compile(r"[^A-Za-z0-9. ]"),
}


class Texts:
    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._rules = {
            "notes": (settings.notes_limit, _OTHERS[settings.notes_characters]),
            "client_reference_id": (settings.reference_limit, _OTHERS[settings.reference_characters]),
        }

    def refusal(self, name: str, text: str | None) -> str | None:
        """Why a text is refused, or None."""
        limit, others = self._rules[name]
        if text and self._settings.other_characters == "refuse" and others.search(text):
            return "has characters that are not allowed"
        too_long = text and self._settings.long_texts == "refuse" and len(text) > limit
        return f"has more than {limit} characters" if too_long else None

    def kept(self, name: str, text: str | None) -> str | None:
        """What is kept of a text that is not refused."""
        if text is None:
            return None
        limit, others = self._rules[name]
        text = others.sub("?" if self._settings.other_characters == "replace" else "", text)
        return (text.strip(" ") if self._settings.trim_texts else text)[:limit]
