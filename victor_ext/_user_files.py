"""The files that the commands of a user keep: the same ones, from whatever folder they run."""

import os
from pathlib import Path

import victor_ext


def user_file(name: str) -> Path:
    """Return the path of a file of this user: in XDG_STATE_HOME, or else in `~/.local/state`.

    Raises `ConfigurationError` if the user has no home.
    """
    folder = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(folder):
        try:
            folder = str(Path.home() / ".local" / "state")
        except RuntimeError:
            raise victor_ext.ConfigurationError(
                f"This user has no home folder, in which {name} would be: set XDG_STATE_HOME."
            ) from None
    return Path(folder) / "victor" / name


def make_user_folder(file: Path) -> None:
    """Make the folder of a `user_file`, which only its owner can read. Raises `OSError`."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
