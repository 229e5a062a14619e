"""The programs of the gateways, unpacked at first use."""

import pytest

from tests.gateways.gateway import INSTALLED, Gateway
from tests.programs import install_once


@pytest.fixture(scope="session", autouse=True)
def packages():
    """Unpack Debian's packages, once for all processes of pytest."""
    install_once("gateways", INSTALLED)


@pytest.fixture
def gateway(tmp_path_factory):
    """Makes gateways: `gateway(command, configuration, provider)`."""
    return lambda *words: Gateway(*words, tmp_path_factory.mktemp("gateway"))
