"""Database URLs that hide their password in `repr`."""

from __future__ import annotations

import sqlalchemy as sa

from victor_ext.privacy import Secret


def with_hidden_password(url: sa.URL) -> sa.URL:
    """Hide the password of a database URL. As in drivers, a password in the query takes precedence."""
    given = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    return url.difference_update_query(["password"]).set(password=Secret(given) if given else None)
