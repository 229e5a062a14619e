"""What is changed, and which tests are to notice: the one place to edit when files move."""

FOLDERS = {
    "victor_ext": "money privacy zulu",
    "victor_ext/providers/victor": "checks waiting reading requests payment_requests responding",
    "victor_ext/runtime/auth": "tokens",
    "victor_ext/runtime/client": "config paging polling",
    "victor_ext/runtime/core": "validation response clock headers",
    "victor_ext/runtime/loop": "attempts classification conflicts events idempotency_keys "
    "resending retry",
}
MODULES = tuple(
    f"{folder}/{name}.py" for folder, names in FOLDERS.items() for name in names.split()
)
"""Where decisions lie.

What only moves bytes is tested by `make soak`, `make fuzz` and over real sockets.
"""

TESTS = (
    "tests/faults/test_redirects.py",
    "tests/journeys",
    "tests/providers/connected/test_bodies.py",
    "tests/providers/test_*.py",
    "tests/providers/victor",
    "tests/runtime",
    "tests/security/test_injection.py",
    "tests/security/test_odd_tokens.py",
    "tests/test_errors.py",
    "tests/test_leaks.py",
    "tests/test_money.py",
    "tests/test_privacy.py",
    "tests/test_zulu.py",
)
"""The fast tests. Of these, each change is shown those that run through the changed lines."""

PLUGINS = ("_hypothesis_pytestplugin", "anyio.pytest_plugin", "pytest_httpx", "victor_ext.testing")
"""The plugins of pytest that the fast tests need: to load no other halves the time of a start."""

IMPORTED_FROM = ("", "generated")
"""Folders of the checkout that stand on the import path."""
