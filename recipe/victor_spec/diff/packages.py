"""The package of one document: its names, and where in the document each comes from."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from victor_spec.components import Components
from victor_spec.generate import generate
from victor_spec.tree import Tree, hooks, place_of

from .surface import Surface

NO_SETTINGS = Path(os.devnull) / "none"
"""A file that does not exist: a comparison needs no typed records."""


class Package:
    """A generated package, with the places of its names."""

    def __init__(
        self,
        path: Path,
        document: Tree,
        components: Components,
        folder: Path,
        name: str,
        decimals: Collection[str] = (),
        settings: Path = NO_SETTINGS,
        *,
        typed: bool = False,
    ) -> None:
        """Generate the package `name` of a loaded document into a folder.

        `components` are those that `compare` made of the document, and `settings` is the file for
        its typed modules, which are wanted without it, too, if `typed`. Raises the errors of
        `generate`.
        """
        self.made = generate(
            path,
            folder,
            name=name,
            trace=True,
            tree=document,
            decimals=decimals,
            settings=settings,
            typed=typed,
        )
        self.surface = Surface(self.made.package)
        self._components = components
        self._exact: dict[str, str] = {}
        """By the place that `Origins` has for a part, the place of its component."""
        for part in components.by_id.values():
            for place in place_of(part.tree):
                self._exact[place] = part.place
        origins = self.made.origins
        self.places: dict[str, list[str]] = {}
        """By the module of a function, which has one place, or the name of a class."""
        for module, place in origins.functions.items():
            self.places[module] = self._places([place])
        for class_, places in origins.classes.items():
            self.places[class_] = self._places(places)
        self._of_parts = origins.arguments | origins.attributes
        self.hooks = {hook.name: hook.place for hook in hooks(document)}

    def places_of_part(self, owner: str, name: str) -> list[str]:
        """The places of an attribute; or of an argument, with those where the operation, or its
        path, lists a parameter that stands elsewhere.
        """
        places = self._places(self._of_parts.get((owner, name), ()))
        if self.surface.owners[owner].kind == "function":
            [operation] = self.places[owner]
            path = operation.rpartition(".")[0]
            for place in [*places]:
                component = self._components.by_place.get(place)
                if component is not None and component.kind == "parameter":
                    key = f"{component.tree.get('in')}:{component.tree.get('name')}"
                    places += [f"{user}.parameters.{key}" for user in (operation, path)]
        return places

    def _places(self, places: Iterable[str]) -> list[str]:
        """Places of `Origins` as `components` writes them: a member of `allOf` has the place of its
        schema.
        """
        return [*dict.fromkeys(self._exact.get(place, place) for place in places)]
