"""For the reference (an extension of griffe): the arguments and results of operations, as a caller
sees them.

A resource has the methods of its generated class. An operation of a client is written as a flow,
and the caller gets the result of the flow. A constructor with `@with_client_options`
takes the keys of `ClientOptions`, and the `add` of an outbox those of `PaymentRequestArguments`.
"""

from __future__ import annotations

from typing import Any

import griffe

import victor_ext
from victor_ext import PaymentRequestArguments
from victor_ext._runtime.client.config import DEFAULTS, ClientOptions, with_options_described


class Operations(griffe.Extension):
    """Gives each operation its caller's signature."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Mend the operations of every class in the package."""
        if pkg.name != victor_ext.__name__:
            return
        for generated in _GENERATED:
            if generated not in loader.modules_collection:
                loader.load(generated)
        self._visit(pkg, loader)
        for provider in pkg["providers"].modules.values():
            for module in provider.modules.values():
                for kind in module.classes.values():
                    _with_written_methods(kind)

    def _visit(self, scope: griffe.Module | griffe.Class, loader: griffe.GriffeLoader) -> None:
        for member in [*scope.members.values()]:
            if isinstance(member, griffe.Module | griffe.Class):
                self._visit(member, loader)
                if isinstance(member, griffe.Class) and member.name.startswith("Django"):
                    _without_sessions(member)
            elif isinstance(member, griffe.Function):
                self._mend(member, loader)

    def _mend(self, function: griffe.Function, loader: griffe.GriffeLoader) -> None:
        for decorator in function.decorators:
            called = decorator.value
            name = str(getattr(called, "function", called))
            if name == "with_client_options":
                kinds, keyword = griffe.ParameterKind, griffe.ParameterKind.keyword_only
                own = [each for each in function.parameters if each.kind is not kinds.var_keyword]
                described = loader.modules_collection[
                    f"{ClientOptions.__module__}.ClientOptions"
                ].members
                shared = [
                    griffe.Parameter(
                        each,
                        kind=keyword,
                        annotation=described[each].annotation,
                        default=repr(default),
                    )
                    for each, default in DEFAULTS.items()
                ]
                function.parameters = griffe.Parameters(*own, *shared)
                assert function.docstring is not None
                own_text = function.docstring.value
                described_options = ClientOptions.__doc__
                function.docstring.value = with_options_described(own_text, described_options) or ""
        last = function.parameters[-1] if len(function.parameters) else None
        if (
            last is not None
            and str(last.annotation) == f"Unpack[{PaymentRequestArguments.__name__}]"
        ):
            keys = loader.modules_collection[
                f"{PaymentRequestArguments.__module__}.PaymentRequestArguments"
            ].members
            own = [each for each in function.parameters if each is not last]
            function.parameters = griffe.Parameters(*own, *map(_keyword, keys.values()))
        returns = function.returns
        if isinstance(returns, griffe.ExprSubscript) and str(returns.left) in _FLOWS:
            function.returns = returns.slice


_FLOWS = ("OperationFlow", "Pass", "Work")
"""What an operation is written as: the caller gets the result."""


_GENERATED = ("victor_api", "velo_api", "eastpay_api", "flexfactor_api")


def _with_written_methods(kind: griffe.Class) -> None:
    """Give a public class the methods of the two that it consists of: the generated one, and the
    one of flows by hand, which has no name for users.
    """
    if kind.name.startswith("_"):
        return
    for name, inherited in kind.inherited_members.items():
        method = inherited.final_target
        of_class = method.parent
        if not isinstance(method, griffe.Function) or not isinstance(of_class, griffe.Class):
            continue
        is_ours = of_class.name.startswith("_") or of_class.path.endswith(
            f".methods.{of_class.name}"
        )
        if is_ours and not name.startswith("_"):
            copied = griffe.Function(name, parameters=method.parameters, returns=method.returns)
            copied.docstring = method.docstring
            copied.lineno, copied.endlineno = method.lineno, method.endlineno
            copied.labels |= method.labels
            kind.set_member(name, copied)


def _without_sessions(box: griffe.Class) -> None:
    """Give a box of Django's the inherited methods that take a session of the others: it takes
    none.
    """
    for name, inherited in box.inherited_members.items():
        method = inherited.final_target
        if isinstance(method, griffe.Function) and "in_session" in {
            str(each.value) for each in method.decorators
        }:
            own, _, *rest = method.parameters
            copied = griffe.Function(
                name, parameters=griffe.Parameters(own, *rest), returns=method.returns
            )
            copied.docstring, copied.lineno, copied.endlineno = (
                method.docstring,
                method.lineno,
                method.endlineno,
            )
            box.set_member(name, copied)


def _keyword(key: griffe.Attribute) -> griffe.Parameter:
    """The argument that a key of a `TypedDict` is."""
    kind, keyword = key.annotation, griffe.ParameterKind.keyword_only
    if isinstance(kind, griffe.ExprSubscript) and str(kind.left) == "Required":
        return griffe.Parameter(key.name, kind=keyword, annotation=kind.slice)
    return griffe.Parameter(key.name, kind=keyword, annotation=kind, default="None")
