"""What the generated records and arguments stand on."""

import runpy
from types import ModuleType

import pytest
from velo_api.typed import arguments, records

from victor_ext import typed


@pytest.mark.parametrize("module", [records, arguments], ids=["records", "arguments"])
@pytest.mark.parametrize("other", [typed.RUNTIME - 1, typed.RUNTIME + 1])
def test_a_package_for_another_version_is_refused_when_it_is_imported(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, other: int
) -> None:
    file = str(module.__file__)
    runpy.run_path(file, run_name=module.__name__)
    monkeypatch.setattr(typed, "RUNTIME", other)
    with pytest.raises(ImportError, match=r"victor_ext\.typed, .* generate it again"):
        runpy.run_path(file, run_name=module.__name__)
