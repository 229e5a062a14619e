"""The command `victor-spec`, in this process."""

from victor_spec.command_line import main


def run(*arguments) -> int:
    """The exit status of the command with these arguments, which may be paths."""
    return main([*map(str, arguments)])
