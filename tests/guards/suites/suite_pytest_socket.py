"""Run with `--allow-hosts` of another host."""

import pytest
from paying import BOTH
from pytest_socket import SocketConnectBlockedError


@pytest.mark.parametrize("pay", BOTH)
def test_no_host_but_the_allowed_ones_is_reached(pay):
    with pytest.raises(SocketConnectBlockedError):
        pay()


@pytest.mark.disable_socket
def test_no_socket_at_all():
    with pytest.raises(RuntimeError):
        BOTH[0]()
