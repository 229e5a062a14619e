"""Names for JSON values. Inside they are `Any`: schemas say what a value must be, not annotations."""

from __future__ import annotations

from typing import Any, TypeAlias

JsonValue: TypeAlias = Any
"""Anything that JSON can say."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object."""
