"""The page names what is there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import httpx

import victor_ext.providers.velo as velo_package
from victor_ext.providers.velo import AsyncVelo, Velo, VeloAuth

ROOT = Path(__file__).resolve().parents[3]
PAGE = "".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("velo", "velo-operations"))
PAGE += (
    (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8").partition("\n## Velo: ")[2].partition("\n## EastPay")[0]
)
PAGE = re.sub(r"webhooks\.md", "", PAGE)
RESOURCES = ("payees", "source_accounts", "funding_accounts", "fundings", "payouts", "payments", "webhooks")


def test_the_page_names_every_operation_and_no_other() -> None:
    with Velo(VeloAuth("k", "s"), transport=httpx.MockTransport(lambda _: httpx.Response(500))) as velo:
        there = {
            f"{name}.{method}"
            for name in RESOURCES
            for method, value in inspect.getmembers(type(getattr(velo, name)))
            if type(value).__name__ in ("operation", "listing")
        }
    ours = re.sub(r"`bind`: `[^`]+`", "", PAGE)  # what a package of the user's has
    named = set(re.findall(rf"\b((?:{'|'.join(RESOURCES)})\.[a-z_]+)", ours))
    named |= {"funding_accounts.get", "funding_accounts.create"}  # written without their resource
    assert named - {"payments.index"} == there


def test_what_is_public() -> None:
    assert list(velo_package.__all__) == sorted(velo_package.__all__)
    assert all(hasattr(velo_package, name) for name in velo_package.__all__)
    assert {name for name in vars(Velo) if not name.startswith("_")} == {
        name for name in vars(AsyncVelo) if not name.startswith("_")
    } - {"aclose"}
