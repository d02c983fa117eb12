"""Constructors that StateFlow does not see, or that would fail. An exception in a constructor ends the runtime."""

import ast
from typing import FrozenSet, List, Set

from .compiled import Compiled
from .report import Report
from .source import EntitySource, Function, own_nodes, self_attribute


def has_unseen_constructor(compiled: Compiled, source: EntitySource) -> bool:
    """An inherited one, or one that a decorator has made."""
    return "__init__" not in source.methods and compiled.cls.__init__ is not object.__init__


def report_constructor(compiled: Compiled, source: EntitySource, report: Report) -> None:
    name = compiled.descriptor.class_name
    for base in compiled.base_entities:
        report.note(
            f"{name}.__init__",
            f"the class derives from the entity {base}, of which StateFlow has made a client's stand-in: "
            "each create would end the runtime",
        )
    init = source.methods.get("__init__")
    nodes = own_nodes(init) if init is not None else []
    for base in compiled.cls.__mro__[1:]:
        has_own = "__init__" in vars(base) and base is not object and base.__module__ != "typing"
        if has_own and calls_constructor(nodes, base.__name__):
            what = f"what only the constructor of {base.__name__} sets"
            report.note(f"{name}.__init__", f"{what} is no state in StateFlow, and gone after the create")
    if any(isinstance(node, (ast.Raise, ast.Assert)) for node in nodes):
        report.note(f"{name}.__init__", "a create that is refused by raise or assert would end the runtime")
    if not has_unseen_constructor(compiled, source) and not any(map(hands_itself_on, nodes)):
        report_unset(compiled, source, report)


def report_unset(compiled: Compiled, source: EntitySource, report: Report) -> None:
    """StateFlow reads every attribute that some method sets as soon as the constructor is through."""
    init = source.methods.get("__init__")
    reached = methods_reached(source, init) if init is not None else []
    sometimes = {name for method in reached for name in stored_attributes(own_nodes(method))}
    always = settled(source, init.body, frozenset()) if init is not None else set()
    for name in compiled.descriptor.state_desc._state_desc:
        where = f"{compiled.descriptor.class_name}.{name}"
        if name in always or any(name in vars(base) for base in compiled.cls.__mro__):
            continue
        if name in sometimes:
            report.note(where, "the constructor does not always set it: a create without it would end the runtime")
        else:
            report.note(where, "the constructor does not set it: each create would end the runtime")


def calls_constructor(nodes: List[ast.AST], base: str) -> bool:
    """``super()`` or ``Base.__init__``."""
    names = {ast.unparse(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr == "__init__"}
    called = {name.split(".")[-1] for name in names}
    return base in called or any(isinstance(node, ast.Name) and node.id == "super" for node in nodes)


def hands_itself_on(node: ast.AST) -> bool:
    """``super().__init__()``, ``setattr(self, …)``, ``self.__dict__``: who is called may set whatever it likes."""
    if isinstance(node, ast.Name) and node.id == "super":
        return True
    if self_attribute(node) == "__dict__":
        return True
    return isinstance(node, ast.Call) and any(isinstance(arg, ast.Name) and arg.id == "self" for arg in node.args)


def methods_reached(source: EntitySource, start: Function) -> List[Function]:
    reached: List[Function] = [start]
    for method in reached:
        for name in called_methods(own_nodes(method)):
            called = source.methods.get(name)
            if called is not None and called not in reached:
                reached.append(called)
    return reached


def settled(source: EntitySource, body: List[ast.stmt], under_way: FrozenSet[str]) -> Set[str]:
    """What is set whichever way an ``if`` goes. Loops and ``try`` are taken to get through."""
    found: Set[str] = set()
    for statement in body:
        blocks = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
        parts = list(ast.walk(statement)) if not any(blocks) else head(statement)
        found |= stored_attributes(parts)
        for name in called_methods(parts) - under_way:
            method = source.methods.get(name)
            found |= settled(source, method.body, under_way | {name}) if method is not None else set()
        inside = [settled(source, block, under_way) for block in blocks]
        found |= inside[0] & inside[1] if isinstance(statement, ast.If) else set().union(*inside)
    return found


def head(statement: ast.stmt) -> List[ast.AST]:
    """What a compound statement evaluates and sets in its first line."""
    fields = [getattr(statement, field, []) for field in ("test", "items", "iter", "target")]
    parts = [part for field in fields for part in (field if isinstance(field, list) else [field])]
    return [node for part in parts for node in ast.walk(part)]


def stored_attributes(nodes: List[ast.AST]) -> Set[str]:
    # ``self.x: int`` without a value sets nothing.
    declared = {id(node.target) for node in nodes if isinstance(node, ast.AnnAssign) and node.value is None}
    stored = [node for node in nodes if isinstance(getattr(node, "ctx", None), ast.Store) and id(node) not in declared]
    return {name for name in map(self_attribute, stored) if name is not None}


def called_methods(nodes: List[ast.AST]) -> Set[str]:
    names = {self_attribute(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {name for name in names if name is not None}
