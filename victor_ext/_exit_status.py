"""With what a command ends: the one list of exit statuses. See docs/cli.md."""

FAILED = 1
MISUSE = 2
UNKNOWN = 3
"""The provider may have executed it."""
FOR_NOW = 75
"""EX_TEMPFAIL of sysexits(3): the provider executed nothing, and the command can be run again."""
SIGNALLED = 128
"""As in shells, with the number of the signal added: SIGHUP (the terminal is gone) is 1, SIGTERM
15.
"""
INTERRUPTED = SIGNALLED + 2
"""SIGINT: Ctrl-C."""
READER_GONE = SIGNALLED + 13
"""SIGPIPE, for a command that reads and shows: the reader of its output has ended, as `head` does.
"""
