"""An operation loads the models of its answers when it reads one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import get_type_hints

import pytest
from victor_api import models
from victor_api.api.payment_requests import create_request_payment, get_payment_request

from victor_ext.spec.late_models import late_models, of_models

CARD, ERROR = "from ...models.card import Card", "from ...models.error import Error"


@pytest.mark.parametrize(
    ("arguments", "answer", "late"),
    [
        ("id: str", "Card | Error | None", ["Card", "Error"]),
        ("body: list[Card]", "Card | Error", ["Error"]),
        ("body: CardChange", "list[Card]", ["Card"]),
        ("id: str", "Card | Literal['Card']", []),
        ("id: str", "Any", []),
    ],
)
def test_only_what_no_argument_needs_is_late(arguments: str, answer: str, late: list[str]) -> None:
    assert late_models([CARD, ERROR, "from ...types import UNSET"], arguments, answer) == late


def test_late_classes_are_taken_from_the_package() -> None:
    assert of_models("dict[str, Card] | CardChange", ["Card"]) == "dict[str, models.Card] | CardChange"


def test_an_operation_is_imported_without_the_models_of_its_answers() -> None:
    code = (
        "import json, sys\n"
        "import victor_api.api.payment_requests.get_payment_request\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('victor_api.models.')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_its_types_can_be_resolved_all_the_same() -> None:
    found = get_type_hints(get_payment_request.sync)["return"]
    assert found == models.GetPaymentRequestResponse | models.ValidationErrors | None
    assert get_type_hints(create_request_payment.sync)["body"] is models.NewRtpRfpPaymentRequest
