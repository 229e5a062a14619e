"""With what a command ends: the one list of exit statuses. docs/reference.md shows it: the first
paragraph says when, and the second one what to do then.
"""

FAILED = 1
"""The provider refused it, and would refuse it again. Or a read failed, or its result could not be
written.

Read the message.
"""
MISUSE = 2
"""Misuse: an option, a setting or a rule of the provider's document. This command sent nothing.

Correct it: the message has all problems.
"""
UNKNOWN = 3
"""The outcome is not known: the provider may have executed it. Or it did, and the result could not
be written.

Run the command that is printed; without one, follow the message.
"""
FOR_NOW = 75
"""The provider executed nothing: the call did not leave this machine, or there were too many
requests (429). Or a state or a file cannot be used now.

Run the same command again later. (75 is EX_TEMPFAIL of sysexits(3).)
"""
SIGNALLED = 128
"""A signal ended the command. Its number is added, as in shells: SIGHUP (the terminal is gone) is
1, SIGTERM 15.
"""
INTERRUPTED = SIGNALLED + 2
"""SIGINT: Ctrl-C.

After a write, as for 3. After a read, nothing.
"""
READER_GONE = SIGNALLED + 13
"""SIGPIPE, for a command that reads and shows: the reader of its output has ended, as `head` does.

Nothing.
"""
