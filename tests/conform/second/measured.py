"""A measurement of the second provider, and what is wrong with its findings."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from tests.conform.conftest import WHOLE, Measured
from tests.conform.second.faults import Answer, Faulty
from tests.conform.second.manners import drawn
from tests.conform.second.server import Provider
from tests.conform.second.truth import Truth, is_of_a_proxy, truths
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import VictorError, VictorJwt
from victor_ext.conform import ASSUMPTIONS, Report

FILE = "measured.json"
FAULTY = (2, 5, 8)
"""The last digits of the seeds with faults: of 200 draws, 60."""


class Measurement:
    """One drawn provider, and what measures it."""

    def __init__(self, seed: int, private_key: str, folder: Path) -> None:
        self.manners = drawn(seed)
        self.provider = Provider(self.manners, seed, payer=WHOLE.payer, payee=WHOLE.payee)
        self.is_faulty = seed % 10 in FAULTY
        self.way = Faulty(self.provider.answer, seed, is_faulty=self.is_faulty)
        self.file = folder / FILE
        life = 72_000 if self.manners["key-life"] != "not asked" else None
        self.plan = dataclasses.replace(WHOLE, key_life=life)
        is_short = self.manners["token-limit"] == "300"
        auth = VictorJwt(API_KEY, private_key, lifetime=240 if is_short else None)
        place = SimpleNamespace(url="https://provider.example", advance=self.provider.skip)
        self.measured = Measured(place, auth, folder)

    def run(self, way: Answer | None = None) -> Report:
        """Measure; once more where the first read meets a fault, which ends a run."""
        transport = httpx.MockTransport(way or self.way)
        if self.is_faulty:
            with suppress(VictorError):
                return self.measured(self.plan, FILE, transport=transport)
        return self.measured(self.plan, FILE, transport=transport)

    def shown(self, report: Report) -> str:
        """All that a user sees of it."""
        return report.text() + self.file.read_text()

    def wrong(self, report: Report, certainty: str) -> dict[str, tuple[str, list[str]]]:
        """The findings that are told so, and are not so: each with what is."""
        return {
            finding["assumption"]: (finding["value"], sorted(truth.values))
            for finding, truth in self._judged(report)
            if finding["value"] is not None
            and finding["certainty"] == certainty
            and not self._is_right(finding, truth)
        }

    def missed(self, report: Report) -> dict[str, tuple[str, list[str]]]:
        """What differs from what is assumed, should be found, and is not."""
        return {
            finding["assumption"]: (finding["note"], sorted(truth.values))
            for finding, truth in self._judged(report)
            if self._differs(finding["assumption"], truth) and finding["value"] not in truth.values
        }

    def had(self) -> int:
        """How many differences can be measured."""
        return sum(self._differs(name, truth) for name, truth in truths(self.manners).items())

    def _differs(self, name: str, truth: Truth) -> bool:
        return truth.must and not self.is_faulty and ASSUMPTIONS[name].assumed not in truth.values

    def _is_right(self, finding: dict[str, Any], truth: Truth) -> bool:
        is_certain = finding["certainty"] == "certain"
        if is_certain and is_of_a_proxy(self.manners, finding["assumption"]):
            return False
        return finding["value"] in truth.values

    def _judged(self, report: Report) -> list[tuple[dict[str, Any], Truth]]:
        known = truths(self.manners)
        return [
            (finding, known[finding["assumption"]])
            for finding in report.findings
            if finding["assumption"] in known and known[finding["assumption"]].is_judged
        ]
