"""The fixtures of the other systems' sandboxes: empty, and with the options of their marks."""

import inspect
from typing import get_args

import pytest

from victor_ext.sandbox.server._faults import Kind
from victor_ext.testing import Faults

pytest_plugins = ["pytester"]


@pytest.mark.velo_sandbox(settlement=5.0)
@pytest.mark.eastpay_sandbox(documented_only=True)
@pytest.mark.flexfactor_sandbox(seed=1)
def test_a_mark_sets_the_options(velo_sandbox, eastpay_sandbox, flexfactor_sandbox):
    assert velo_sandbox.settings.settlement == 5.0
    assert eastpay_sandbox.settings.documented_only
    assert flexfactor_sandbox.settings.seed == 1


def test_sandboxes_of_fixtures_begin_empty(velo_sandbox):
    assert (velo_sandbox.received(), velo_sandbox.notifications()) == ([], [])
    assert velo_sandbox.settings.settlement == 30.0


def test_each_kind_of_fault_has_a_method_of_its_name():
    methods = {name for name, _ in inspect.getmembers(Faults, inspect.isfunction)}
    assert set(get_args(Kind)) <= methods


@pytest.mark.parametrize(
    ("sandbox", "mark", "said"),
    [
        ("velo_sandbox", "notify='127.0.0.1'", "notify must be an address such as"),
        ("velo_sandbox", "'staging'", "write each with its name"),
        ("victor_sandbox", "lik='x'", "*unexpected keyword argument 'lik'"),
    ],
)
def test_the_message_about_a_wrong_option_names_the_option(pytester, sandbox, mark, said):
    pytester.makepyfile(f"""
        import pytest

        @pytest.mark.{sandbox}({mark})
        def test_it({sandbox}): pass
    """)
    ran = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    ran.stdout.fnmatch_lines([f"The settings of {sandbox}: {said}*"])
    ran.stdout.no_fnmatch_line("*Traceback*")
