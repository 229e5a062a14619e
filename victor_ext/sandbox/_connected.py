"""A sandbox of any other API: its OpenAPI document, and what some of its operations do."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from victor_ext.sandbox.engine import Row, TableProvider
from victor_ext.sandbox.server import (
    Call,
    JsonObject,
    Response,
    ServerInThread,
    ServerSettings,
    json_response,
    load_document,
)
from victor_ext.sandbox.server._exchange import KeyLocation


class ConnectedSandbox(ServerInThread[ServerSettings]):
    """A sandbox of an API in this process: `with ConnectedSandbox("till.yaml", rows) as sandbox:
    sandbox.url`. It checks each call and each of its own responses against the document.

    Args:
        document: The path of the OpenAPI document.
        rows: What its operations do. An operation without a row is a 404. Their state is a dict,
            which is empty at first.
        key: Where a call has its idempotency key; None: nowhere.
        authenticate: Raises `Refused` for a call with wrong credentials; keys are kept apart by
            what it returns. None: anybody may call.
        error: The body of an error, from its status, a code and a message.
        settings: The options of every sandbox.

    Raises:
        OSError: There is no such document.
        ValueError: The document does not have the operation of a row, or `key` is none of the
            sandbox's, or that of a row would do nothing.
    """

    def __init__(
        self,
        document: str | PathLike[str],
        rows: Sequence[Row],
        *,
        key: KeyLocation = None,
        authenticate: Callable[[Call], str | None] | None = None,
        error: Callable[[int, str, str], JsonObject] | None = None,
        settings: ServerSettings | None = None,
    ) -> None:
        path = str(Path(document).resolve())
        whole = load_document(path)
        if not isinstance(key, KeyLocation):  # pyright: ignore[reportUnnecessaryIsInstance] - any
            raise ValueError("key must be HeaderKey(NAME) or BodyKey(NAME) of victor_ext.sandbox.")
        for row in rows:
            if not whole.has(*row.place.split()):
                raise ValueError(f"The document has no {row.place}, which a row names.")
            if row.is_keyed and key is None:
                raise ValueError(
                    f"The row {row.name!r} has is_keyed=True, and the sandbox has no key. Write "
                    'key=HeaderKey("Idempotency-Key"), or leave is_keyed out.'
                )
        own_rows = tuple(rows)
        own_key = key

        class ConnectedProvider(TableProvider[ServerSettings]):
            name = title = Path(path).stem
            document = path
            rows = own_rows
            key = own_key

            def new_state(self) -> JsonObject:
                return {}

            def authenticate(self, call: Call) -> str:
                return "" if authenticate is None else authenticate(call) or ""

            def error(self, status: int, code: str, message: str) -> Response:
                if error is None:
                    return super().error(status, code, message)
                return json_response(status, error(status, code, message))

        self.provider_type = ConnectedProvider
        super().__init__(settings)
