"""What others wrote, and no report may show: names, notes, addresses and numbers of accounts."""

from __future__ import annotations

import random
import re

NAMES = ("Hildegard Mustermann", "Ottokar Zwiebel", "Wiltrud Ahornstein")
ACCOUNTS = ("998877665544", "731904628805")
IBAN = "DE89370400440532013000"
MAIL = "w.ahornstein@nirgends.example"
PHONE = "+49 170 5550199"
SENTENCES = (
    f"Miete {NAMES[0]} {IBAN}",
    f"for {NAMES[1]}, account {ACCOUNTS[0]}",
    f"call {NAMES[2]}: {PHONE}",
)
FORBIDDEN = (
    *(word for name in NAMES for word in name.split()),
    *(account[:8] for account in ACCOUNTS),
    "3704004405",
    "ahornstein@",
    "5550199",
)
"""Parts that are enough to recognise somebody by."""


def shown_in(text: str) -> list[str]:
    """What of a person stands in a text."""
    plain = text.lower()
    digits = re.sub(r"[ _-]", "", plain)
    return [part for part in FORBIDDEN if part.lower() in plain or part.lower() in digits]


def members_of(choices: random.Random) -> dict[str, object]:
    """Members that the document does not have, about somebody."""
    name = choices.choice(NAMES)
    return choices.choice(
        [
            {},
            {"contact": {"name": name, "mail": MAIL, "phones": [PHONE]}},
            {name: {"iban": IBAN}},
            {"audit": [{"by": name, "account": int(ACCOUNTS[0])}]},
        ]
    )


def sentence(choices: random.Random) -> str:
    return choices.choice(SENTENCES)
