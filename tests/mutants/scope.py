"""What is changed, and which tests are to notice: the one place to edit when files move."""

from __future__ import annotations

MODULES = (
    "victor_ext/money.py",
    "victor_ext/providers/victor/checks.py",
    "victor_ext/providers/victor/waiting.py",
    "victor_ext/providers/victor/reading.py",
    "victor_ext/providers/victor/requests.py",
    "victor_ext/providers/victor/comparing.py",
    "victor_ext/providers/victor/payment_requests.py",
    "victor_ext/providers/victor/responding.py",
    "victor_ext/privacy.py",
    "victor_ext/runtime/auth/tokens.py",
    "victor_ext/runtime/client/config.py",
    "victor_ext/runtime/client/paging.py",
    "victor_ext/runtime/client/polling.py",
    "victor_ext/runtime/core/validation.py",
    "victor_ext/runtime/core/response.py",
    "victor_ext/runtime/loop/attempts.py",
    "victor_ext/runtime/loop/classification.py",
    "victor_ext/runtime/core/clock.py",
    "victor_ext/runtime/loop/conflicts.py",
    "victor_ext/runtime/loop/error_messages.py",
    "victor_ext/runtime/loop/events.py",
    "victor_ext/runtime/core/headers.py",
    "victor_ext/runtime/loop/idempotency_keys.py",
    "victor_ext/runtime/loop/redirects.py",
    "victor_ext/runtime/loop/retry.py",
    "victor_ext/runtime/loop/unauthorized.py",
    "victor_ext/runtime/core/timeouts.py",
    "victor_ext/zulu.py",
)
"""Where decisions lie. What only moves bytes is tested by `make soak`, `make fuzz` and over real sockets."""

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
