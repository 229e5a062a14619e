"""What of a pattern Python reads in another way than the dialect of a document (ECMA-262)."""

import re

_ESCAPED = re.compile(r"\\[^AZaNU]", re.DOTALL)
"""A character that is escaped, and that both read alike."""
_SET = re.compile(r"\[\^?[^\]]*\]")
"""A set of characters. In ECMA-262 it ends with the first bracket."""
_OTHER = (
    (re.compile(r"\\."), "the escape {} of Python"),
    (re.compile(r"^\[\^?\]$"), "the set {}, which Python does not end there"),
    (re.compile(r"\[:\w+:\]"), "the class {} of POSIX"),
)
_OTHER_OUTSIDE = (
    (re.compile(r"\(\?(?![:=!]|<[=!]).?"), "the group {}"),
    (re.compile(r"[*+?}]\+"), "the quantifier {} of Python"),
    (re.compile(r"\{,\d*\}"), "the quantifier {} of Python"),
)
"""What only one of them has, outside of sets."""


def why_other(pattern: str) -> str:
    """What of a pattern Python reads in another way; empty if nothing."""
    plain = _ESCAPED.sub("_", pattern)
    sets = [found[0] for found in _SET.finditer(plain)]
    outside = _SET.sub("_", plain)
    looked_for = [(part, _OTHER) for part in (*sets, outside)]
    looked_for.append((outside, _OTHER_OUTSIDE))
    for text, others in looked_for:
        for form, words in others:
            found = form.search(text)
            if found:
                return words.format(found[0])
    return ""
