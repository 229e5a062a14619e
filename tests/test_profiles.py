"""The file of the profiles, which holds secrets: who may read it."""

import os

import pytest

from victor_ext import ConfigurationError, Victor
from victor_ext._profiles import profile_variables


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file with one profile."""
    path = tmp_path / "victor" / "profiles.toml"
    path.parent.mkdir()
    path.write_text('[staging]\nclient_id = "c"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_only_its_owner_can_read_is_read(file, mode):
    file.chmod(mode)
    assert profile_variables(Victor.system, "staging") == {"VICTOR_CLIENT_ID": "c"}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes of groups and others")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_its_group_or_others_may_read_or_change_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(ConfigurationError) as raised:
        profile_variables(Victor.system, "staging")
    assert f"(mode {mode:o}): chmod 600 {file}" in str(raised.value)
