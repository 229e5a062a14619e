# Written by `make generate`; edits are lost. See openapi/README.md.
"""Contains shared errors types that can be raised from API functions"""


class UnexpectedStatus(Exception):
    """Raised by api functions when the response status an undocumented status and Client.raise_on_unexpected_status is True"""

    def __init__(self, status_code: int, content: bytes):
        self.status_code = status_code
        self.content = content
        super().__init__(status_code, content)

    def __str__(self) -> str:
        return f"Unexpected status code: {self.status_code}, with a body of {len(self.content)} bytes (see .content)"


class UnreadableBody(Exception):
    """Raised by api functions when the body is not what the document declares for its status: not JSON (an HTML
    page, an empty body, invalid UTF-8), or JSON of another kind (a list where an object is declared)"""

    def __init__(self, status_code: int, content: bytes, reason: str):
        self.status_code = status_code
        self.content = content
        self.reason = reason
        super().__init__(status_code, content, reason)

    def __str__(self) -> str:
        return (
            f"The body of the answer with status {self.status_code} cannot be read: {self.reason};"
            f" it has {len(self.content)} bytes (see .content)"
        )


__all__ = ["UnexpectedStatus", "UnreadableBody"]
