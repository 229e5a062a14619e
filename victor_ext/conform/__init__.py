"""Measure a provider: what it does where its document is silent, and where that differs from what
is assumed here.

    from victor_ext.conform import Plan, measure

    report = measure("conform.json", Plan(payee="043987673645", payer="aHeq349838"))
    print(report.text())

docs/conform.md describes what is measured, and the file, which `victor sandbox --like` plays.
"""

from .assumptions import ASSUMPTIONS, Assumption, Phase
from .measuring import measure
from .plan import Plan
from .report import Report, load

__all__ = ("ASSUMPTIONS", "Assumption", "Phase", "Plan", "Report", "load", "measure")
