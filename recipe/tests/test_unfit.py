"""Each entry of the settings that resolves to nothing, to another type or to a name that is taken
stops generation, with one sentence that names it.
"""

import pytest

from victor_spec.document import load
from victor_spec.generate import typed_of
from victor_spec.typed.settings import SettingsError

from .wire import beside

pytestmark = pytest.mark.pull_request
UNFIT = beside("unfit")


def typed(folder, settings, document=UNFIT["document"]):
    """What the settings make of a document."""
    spec = folder / "shop.yaml"
    spec.write_text(document, encoding="utf-8")
    (folder / "shop.settings.yaml").write_text(settings, encoding="utf-8")
    return typed_of(spec, load(spec))


def refused(folder, settings, document=UNFIT["document"]):
    """What is said of the settings of a document, without the name of their file."""
    with pytest.raises(SettingsError) as caught:
        typed(folder, settings, document)
    return str(caught.value).removeprefix(f"{folder / 'shop.settings.yaml'}: ")


@pytest.mark.parametrize(("group", "entries", "says"), UNFIT["cases"])
def test_a_settings_entry_that_does_not_fit_stops_generation_with_a_sentence_about_it(
    group, entries, says, tmp_path
):
    assert refused(tmp_path, UNFIT["groups"][group] % entries) == says


def patterns_of(folder, pattern):
    """What becomes of a pattern of the document."""
    settings = UNFIT["groups"]["raw body"].replace(", %s", "")
    return typed(folder, settings, UNFIT["document"].replace("'[A-Z]+'", f"'{pattern}'")).patterns


@pytest.mark.parametrize(("pattern", "why"), UNFIT["patterns"])
def test_a_pattern_that_python_reads_differently_is_reported_and_not_checked(
    pattern, why, tmp_path
):
    patterns = patterns_of(tmp_path, pattern)
    assert [(each.pattern, each.why) for each in patterns.unread] == [(pattern, why)]
    assert patterns.forms == {}
