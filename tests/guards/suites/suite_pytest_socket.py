"""Run with `--allow-hosts` of another host."""

import pytest
from paying import BOTH
from pytest_socket import SocketConnectBlockedError


@pytest.mark.parametrize("pay", BOTH)
def test_a_call_to_a_host_that_is_not_allowed_is_blocked(pay):
    with pytest.raises(SocketConnectBlockedError):
        pay()


@pytest.mark.disable_socket
def test_a_call_is_blocked_if_sockets_are_disabled():
    with pytest.raises(RuntimeError):
        BOTH[0]()
