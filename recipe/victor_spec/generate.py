"""Generate a Python package from an OpenAPI document."""

import atexit
import contextlib
import copyreg
import io
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import requires, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import jinja2
import openapi_python_client
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser import openapi as endpoints
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.strings import PythonIdentifier
from ruff import find_ruff_bin  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] - it has none

from . import hooks, readers
from .decisions import default_path
from .destination import HEADER, MARKER, ChangedFiles, build_folder, move_into_place, package_folder
from .document import DocumentError, load
from .failures import lose, mend
from .members import tables_of, without_null
from .properties import finish
from .python_names import give_distinct_names, literal
from .requests import HOOKS, PREFIX, path_of
from .rewrites import Log, prepare
from .tree import PlaceError, Tree
from .typed import Typed, typed_of
from .typed.records import plans_of
from .typed.settings import SettingsError, read_settings


def _itself(_: ModelProperty) -> str:
    """What a copy of a model is: the generator copies each operation, again and again, with all
    models that it leads to.
    """
    return "model"


copyreg.pickle(ModelProperty, _itself)


class _Memory(dict[str, bytes]):
    def set(self, key: str, value: bytes) -> None:
        self[key] = value


_MEMORY: Any = _Memory()
_COMPILED = jinja2.MemcachedBytecodeCache(_MEMORY)
"""Templates compiled once in a process: to compile them takes longer than to write a small package.
"""


def parse(tree: Tree, log: Log) -> GeneratorData | None:
    """What is to be generated; None for a document that is refused as a whole.

    `log.left_out` has what is lost.
    """
    data = _attempt(tree, log)
    while isinstance(data, GeneratorData) and mend(tree, data.errors, log):
        data = _attempt(tree, log)
    if not isinstance(data, GeneratorData):
        lose(data, log)
        return None
    of_operations = data.endpoint_collections_by_tag.values()
    for error in [*data.errors, *(each for tag in of_operations for each in tag.parse_errors)]:
        lose(error, log)
    finish(data, log.requests)
    give_distinct_names(data)
    posted = data.endpoint_collections_by_tag.pop(PythonIdentifier(HOOKS, "tag"), None)
    log.requests.hook_endpoints = [] if posted is None else posted.endpoints
    return data


def render(
    data: GeneratorData,
    folder: Path,
    templates: Path,
    log: Log,
    typed: Typed | None = None,
) -> None:
    """Write the package, unformatted, into a new folder; what cannot be written is in
    `log.left_out`.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        project = _project(data, folder, templates, log)
        is_late = typed is not None and typed.settings.late_models
        names = [model.class_info.name for model in data.models]
        environment: Any = project.env
        environment.globals["late_models"] = names if is_late else []
        data.errors.clear()
        for collection in data.endpoint_collections_by_tag.values():
            collection.parse_errors.clear()
        for error in project.build():
            lose(error, log)
        if not folder.is_dir():
            return
        modules: dict[str, dict[str, Any]] = {
            "members.py": {"tables": tables_of(data.models)},
            "operations.py": {"endpoints": endpoints_of(data), "comments": [*log.comments()]},
        }
        if log.requests.hook_endpoints:
            modules["webhooks.py"] = _known_of_hooks(data, log)
            shutil.copyfile(templates / "evidence.py", folder / "evidence.py")
        if typed is not None:
            modules |= typed.modules()
            modules["typed/__init__.py"] = {}
        for name, known in modules.items():
            template = f"{name.replace('/', '_')}.jinja"
            text = project.env.get_template(template).render(**known)
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")


def _project(
    data: GeneratorData, folder: Path, templates: Path, log: Log
) -> openapi_python_client.Project:
    """What writes the package, with what the templates use."""
    project = openapi_python_client.Project(
        openapi=data, config=_config(folder, log), custom_template_path=templates
    )
    project.env.bytecode_cache = _COMPILED
    environment: Any = project.env
    environment.filters["in_double_quote_literal"] = literal
    environment.globals.update(
        requests=log.requests,
        literal=repr,
        return_type=_return_type,
        constant_of=hooks.constant_of,
        base=readers.base,
        fields_of=readers.fields_of,
        has_null=readers.has_null,
        without_null=without_null,
    )
    return project


def _known_of_hooks(data: GeneratorData, log: Log) -> dict[str, Any]:
    """What the template of webhooks is rendered with; `log.untold` has those that need names."""
    posted = log.requests.hook_endpoints
    known = hooks.known_of(posted, data.models, _return_type)
    untold: list[int] = known["untold"]
    log.untold = [log.requests.hook_of(posted[number]) for number in untold]
    return known


def endpoints_of(data: GeneratorData) -> list[endpoints.Endpoint]:
    """The operations, in the order of the document's tags."""
    return [
        endpoint for tag in data.endpoint_collections_by_tag.values() for endpoint in tag.endpoints
    ]


def _return_type(endpoint: endpoints.Endpoint) -> str:
    types: set[str] = set()
    for response in endpoint.responses:
        if response.source["attribute"] != "None":
            types.add(response.prop.get_type_string().as_unembedded_code())
    return " | ".join(sorted(types)) or "Any"


def _attempt(tree: Tree, log: Log) -> GeneratorData | GeneratorError:
    return GeneratorData.from_dict(tree, config=_config(Path(), log))


def _config(folder: Path, log: Log) -> Config:
    settings = ConfigFile(post_hooks=[], content_type_overrides=log.content_types)
    return Config.from_sources(
        settings, MetaType.NONE, folder, "utf-8", overwrite=True, output_path=folder
    )


def _on_disk(folder: Traversable) -> Path:
    """The folder as one of the file system: what is in a zip is copied until the process ends."""
    if isinstance(folder, Path):
        return folder
    copies = contextlib.ExitStack()
    atexit.register(copies.close)
    copied = Path(copies.enter_context(TemporaryDirectory(prefix="victor-spec-")))
    for file in folder.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    return copied


TEMPLATES = _on_disk(files("victor_spec") / "templates")
COPIED = ("decoding.py", "answers.py", "serializing.py", "bodies.py")
"""Modules that are the same in every package."""

# Neither configuration files in the folders above nor environment variables may change a byte of
# the output.
RUFF = (
    *("--isolated", "--no-cache", "--line-length=100", "--target-version=py311", "--quiet"),
    *("--no-respect-gitignore", "--config=exclude=[]"),
)


class Parsed(NamedTuple):
    """What a package is made of."""

    log: Log
    data: GeneratorData | None
    """What the generator made of it; None for a document that is refused as a whole."""


@dataclass
class GenerationResult:
    """What one run did."""

    package: Path
    log: Log
    written: bool
    """Whether the package was written; if not, an earlier one is unchanged."""
    changes: ChangedFiles
    typed: Typed | None = None
    """What the typed modules consist of; None without them."""

    @property
    def left_out(self) -> list[str]:
        """Parts of the document that the package lacks."""
        return self.log.left_out


def package_name(document: Path) -> str:
    """The default name: `shop-2.35.58.yaml` makes `shop_api`, without the version."""
    stem = re.sub(r"[-_. ]v?\d[\d.]*$", "", document.stem)
    name = re.sub(r"\W+", "_", stem).strip("_").lower()
    return name if name.endswith("_api") else f"{name}_api"


def generate(
    document: Path,
    out: Path,
    *,
    name: str | None = None,
    tree: Tree | None = None,
    decimals: Collection[str] = (),
    settings: Path | None = None,
) -> GenerationResult:
    """Write the package of a document into the folder `out`, in place of an earlier one.

    `name` is the name of the package; None takes it from the document. `tree` is what `load` made
    of the document; None loads it. `decimals` are the places of numbers that are read as Decimal:
    `Card.price`, `*.amount`. Where there are `settings`, the package gets typed records and
    arguments, which need `victor_ext`; None is `<document>.settings.yaml` beside the document.

    Raises DocumentError when the document or its settings cannot be read; RuntimeError when the
    installed tools are not the pinned ones, or the package must not be written there; and OSError.
    """
    package = package_folder(out, package_name(document) if name is None else name)
    loaded = load(document) if tree is None else tree
    log, data = parsed(document, loaded, decimals=decimals)
    file = settings or default_path(document, "settings")
    typed_parts = None if data is None else _typed_parts(loaded, data, file)
    # Modules are written, mended and formatted among the temporary files, which may be in memory.
    with build_folder(package) as folder, TemporaryDirectory(prefix="victor-spec-") as workshop:
        built = folder / package.name
        source = Path(workshop) / package.name
        if data is not None:
            render(data, source, TEMPLATES, log, typed_parts)
        written = (source / "client.py").exists()
        if written and data is not None:
            _require_python(document, source, _sources(data))
            _finish(source, built)
        changes = move_into_place(built, package) if written else ChangedFiles()
    return GenerationResult(package, log, written, changes, typed_parts)


def _typed_parts(tree: Tree, data: GeneratorData, file: Path) -> Typed | None:
    """What the typed modules consist of, by the settings in a file; None without it."""
    if not file.exists():
        return None
    settings = read_settings(file)
    try:
        records = plans_of(data.models, settings)
        return typed_of(tree, endpoints_of(data), settings, records)
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from None


def parsed(document: Path, tree: Tree, *, decimals: Collection[str] = ()) -> Parsed:
    """What was done to a document, and what is to be generated (see `parse`).

    Raises as `generate`.
    """
    _require_pinned_tools()
    try:
        prepared, log = prepare(tree, decimals=decimals)
        return Parsed(log, parse(prepared, log))
    except PlaceError as error:
        raise DocumentError(f"{document} cannot be read: {error}") from None
    except RecursionError:
        raise DocumentError(
            f"{document} cannot be read: its schemas refer to each other over too many steps."
        ) from None


def _require_pinned_tools() -> None:
    """Raise RuntimeError unless the tools that decide the output have the versions that
    victor-spec pins.
    """
    requirements = [line.partition(";")[0].strip() for line in requires("victor-spec") or []]
    for tool in ("openapi-python-client", "ruff"):
        pin = next(line for line in requirements if line.startswith(f"{tool}==")).partition("==")[2]
        if version(tool) != pin:
            raise RuntimeError(
                f"{tool} {version(tool)} is installed, victor-spec pins {pin}: run pip "
                "install ./recipe in a clone."
            )


def operation_module(tag: str, endpoint: endpoints.Endpoint) -> str:
    """The module of an operation, within the package: `api.payments.take_payment`."""
    return f"api.{tag}.{PythonIdentifier(endpoint.name, PREFIX)}"


def _sources(data: GeneratorData) -> dict[str, str]:
    """What of the document each module is made from: of operations, and of models."""
    sources: dict[str, str] = {}
    for tag, collection in data.endpoint_collections_by_tag.items():
        for endpoint in collection.endpoints:
            module = operation_module(tag, endpoint).replace(".", "/")
            sources[f"{module}.py"] = f"{endpoint.method.upper()} {path_of(endpoint)}"
    for model in (*data.models, *data.enums):
        sources[f"models/{model.class_info.module_name}.py"] = f"the schema {model.class_info.name}"
    return sources


def _require_python(document: Path, built: Path, sources: Mapping[str, str]) -> None:
    """Raise RuntimeError for a module that Python does not compile; an earlier package stays."""
    for path in sorted(built.rglob("*.py")):
        module = path.relative_to(built).as_posix()
        try:
            compile(path.read_bytes(), module, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            source = f" (made from {sources[module]})" if module in sources else ""
            raise RuntimeError(
                f"{document}: no package was made, because {built.name}/{module}{source} would "
                f"not be Python: {error}. This is a mistake of the generator: report it with "
                "this part of the document, and leave the part out until it is mended."
            ) from error


def _finish(written: Path, built: Path) -> None:
    """Format what was written, and write it into the new folder `built` with the modules that are
    the same everywhere.
    """
    for name in COPIED:
        shutil.copyfile(TEMPLATES / name, written / name)
    # F removes imports that a template has and a module does not use; I sorts the others.
    rules = ("--fix-only", "--select=F,I,UP", "--config=lint.isort.combine-as-imports=true")
    commas = "--config=lint.isort.split-on-trailing-comma=false"
    _ruff(written, "check", *RUFF, *rules, commas)
    _ruff(written, "format", *RUFF, "--config=format.skip-magic-trailing-comma=true")
    for path in written.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        new = built / path.relative_to(written)
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(HEADER + text, encoding="utf-8", newline="\n")
    (built / MARKER).touch()


def _ruff(built: Path, *arguments: str) -> None:
    """Run ruff in the new folder around the package, where no file of the user can shadow a
    module.
    """
    ruff: str = find_ruff_bin()
    command = [ruff, *arguments, str(built)]
    environment = {key: text for key, text in os.environ.items() if not key.startswith("RUFF_")}
    done = subprocess.run(  # noqa: S603 - no part of the command comes from the document
        command, capture_output=True, text=True, check=False, cwd=built.parent, env=environment
    )
    if done.returncode:
        output = (done.stderr or done.stdout).strip() or "it says nothing"
        raise RuntimeError(
            f"ruff {arguments[0]} ends with {done.returncode} over the generated code: {output}."
        )
