"""Giving the token back."""

from __future__ import annotations

from contextlib import suppress

from victor_ext.errors import AuthenticationError
from victor_ext.runtime.auth.oauth import OAuthToken
from victor_ext.runtime.client.resources import Mode, Resource, operation
from victor_ext.runtime.client.runners import OperationFlow, answer_to


class Access(Resource[Mode]):
    """The access of one client: its token."""

    token: OAuthToken

    @operation
    def revoke(self) -> OperationFlow[None]:
        """Have Velo revoke the token, if there is one. Nothing is sent, and no token fetched, if there is none."""
        if not self.token.has_token:
            return
        with suppress(AuthenticationError):  # it was good no more already
            yield from answer_to("velo_api.api.access.logout")
        self.token.forget()
