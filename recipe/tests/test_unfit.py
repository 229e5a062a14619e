"""Each entry of the settings that resolves to nothing, to another type or to a name that is taken
stops generation, with one sentence that names it.
"""

import pytest

from victor_spec.document import DocumentError, load
from victor_spec.generate import typed_of
from victor_spec.typed.settings import SettingsError

from . import test_typed, test_typed_arguments, test_typed_bodies, test_typed_views
from .wire import beside

pytestmark = pytest.mark.pull_request
UNFIT = beside("unfit")
DOCUMENTS = {
    "records": test_typed.DOCUMENT,
    "views": test_typed_views.DOCUMENT,
    "bodies": test_typed_bodies.DOCUMENT,
    "lists": test_typed_arguments.DOCUMENT,
    "filters": test_typed_arguments.FILTERS,
    "calls": test_typed_arguments.CALLS,
}
ELSEWHERE = [(name, *row) for name, rows in UNFIT["elsewhere"].items() for row in rows]


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


@pytest.mark.parametrize(("name", "entries", "says"), ELSEWHERE)
def test_a_settings_entry_that_leads_nowhere_stops_generation_with_a_sentence_about_it(
    name, entries, says, tmp_path
):
    assert refused(tmp_path, entries, DOCUMENTS[name]) == says


def test_an_error_names_a_key_that_stands_twice_in_the_settings(tmp_path):
    assert refused(tmp_path, UNFIT["twice"]) == (
        f"{tmp_path / 'shop.settings.yaml'} cannot be read: The key 'constant' stands twice in the "
        "mapping at line 3: remove one."
    )


@pytest.mark.parametrize(("mark", "says"), UNFIT["marks"])
def test_a_wrong_x_not_enforced_mark_is_refused_with_its_place(mark, says, tmp_path):
    old = "        note: {type: string, maxLength: 5}"
    document = UNFIT["document"].replace(old, f"{old[:-1]}, {mark}}}")
    with pytest.raises(DocumentError) as caught:
        typed(tmp_path, "", document)
    place = f"{tmp_path / 'shop.yaml'}: components.schemas.NewOrder.properties.note: "
    assert str(caught.value) == f"{place}{says}."


def test_required_cannot_be_marked_as_a_limit_that_is_not_enforced(tmp_path):
    old = "required: [sum, day]"
    document = UNFIT["document"].replace(old, f"{old}\n      x-not-enforced: [required]")
    with pytest.raises(DocumentError, match="and no limit stands beside it: remove it"):
        typed(tmp_path, "", document)


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


@pytest.mark.parametrize("pattern", UNFIT["alike"])
def test_a_pattern_that_python_reads_as_the_document_means_it_is_checked(pattern, tmp_path):
    patterns = patterns_of(tmp_path, pattern)
    assert [*patterns.unread] == []
    assert [form.whole for form in patterns.forms.values()] == [pattern]
