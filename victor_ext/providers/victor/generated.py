"""The generated models. The generated package is imported by the first call, so that a client is quick to import."""

from typing import TYPE_CHECKING

from victor_ext.runtime.late_imports import LazyModule

__all__ = ["models"]

if TYPE_CHECKING:
    from victor_api import models
else:
    models = LazyModule("victor_api.models")
