"""A local stand-in for one bank's EastPay gateway. See docs/eastpay.md.

Where the gateway is not documented, the sandbox chooses: the codes of refused requests, of refused
steps and of an expired card, which steps a payment allows, that wrong parameters are named in
`parameterErrors`, and that answers repeat amount, currency and reference.
"""

from victor_ext.sandbox.eastpay._commands import EastPayCommands, Merchant
from victor_ext.sandbox.eastpay._provider import EastPayProvider
from victor_ext.sandbox.eastpay._state import EastPaySettings
from victor_ext.sandbox.server import ServerInThread, ServerOverHttp

__all__ = (
    "EastPayCommands",
    "EastPayProvider",
    "EastPaySandbox",
    "EastPaySettings",
    "Merchant",
    "RemoteEastPaySandbox",
)


class EastPaySandbox(EastPayCommands, ServerInThread[EastPaySettings]):
    """One bank's gateway in this process:
    `with EastPaySandbox() as sandbox: sandbox.url + "/eastpay"`.
    """

    provider_type = EastPayProvider


class RemoteEastPaySandbox(EastPayCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
