"""The command `victor-spec settings-schema`, for the editor of who writes settings."""

import json

from victor_spec.exit_status import COMPLETE
from victor_spec.typed.settings import Settings

from . import show_as_is


def settings_schema() -> int:
    """Show the JSON Schema of <document>.settings.yaml, for an editor."""
    show_as_is(json.dumps(Settings.model_json_schema(), indent=2) + "\n")
    return COMPLETE
