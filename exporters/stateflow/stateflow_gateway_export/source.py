"""The entity's own source: what StateFlow's descriptors leave out or get wrong is read here."""

import ast
from typing import Any, Dict, List, Optional, Tuple

Function = ast.FunctionDef


class EntitySource:
    """A class's source, out of the syntax tree that StateFlow's descriptor carries."""

    def __init__(self, descriptor: Any):
        # Comments above the class may be indented in another way than the class is.
        code = descriptor.module_node.code_for_node(descriptor.class_node.with_changes(leading_lines=()))
        self.class_def = next(node for node in ast.parse(code).body if isinstance(node, ast.ClassDef))
        # Of two methods with one name the last one counts, for Python and for StateFlow.
        self.methods: Dict[str, Function] = {
            node.name: node for node in self.class_def.body if isinstance(node, ast.FunctionDef)
        }

    @property
    def description(self) -> Optional[str]:
        return ast.get_docstring(self.class_def)

    def class_attributes(self) -> List[str]:
        names: List[str] = []
        for node in self.class_def.body:
            targets: List[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign):
                targets = [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
        return names

    def state_annotation(self, attribute: str) -> Optional[ast.expr]:
        """The first annotation of ``self.attribute``; StateFlow refuses a class where two differ."""
        for method in self.methods.values():
            for node in ast.walk(method):
                if isinstance(node, ast.AnnAssign) and self_attribute(node.target) == attribute:
                    return node.annotation
        return None


def self_attribute(node: ast.AST) -> Optional[str]:
    """``self.balance`` → ``balance``."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    return None


def parameters(function: Function) -> List[ast.arg]:
    """The function's own parameters without ``self``; those of functions inside it are not among them."""
    given = function.args
    return [arg for arg in [*given.posonlyargs, *given.args, *given.kwonlyargs] if arg.arg != "self"]


def own_nodes(function: Function) -> List[ast.AST]:
    """Everything in the body, without the bodies of functions, lambdas and classes inside it."""
    nodes: List[ast.AST] = []
    waiting: List[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        nodes.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
    return nodes


def returned_values(function: Function) -> List[ast.expr]:
    return [node.value for node in own_nodes(function) if isinstance(node, ast.Return) and node.value is not None]


def is_generator(function: Function) -> bool:
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in own_nodes(function))


def assignments(function: Function, attribute: str) -> List[Tuple[ast.AST, Optional[ast.expr]]]:
    """Each statement that sets ``self.attribute``, with the value; ``None`` where the value is not plain to see."""
    found: List[Tuple[ast.AST, Optional[ast.expr]]] = []
    for node in own_nodes(function):
        if isinstance(node, ast.AnnAssign) and self_attribute(node.target) == attribute:
            found += [(node, node.value)] if node.value is not None else []
        elif isinstance(node, ast.Assign):
            found += [(node, value) for target in node.targets for value in bound_values(target, node.value, attribute)]
        elif isinstance(node, ast.AugAssign) and self_attribute(node.target) == attribute:
            found.append((node, None))
    return found


def bound_values(target: ast.expr, value: ast.expr, attribute: str) -> List[Optional[ast.expr]]:
    if self_attribute(target) == attribute:
        return [value]
    if not isinstance(target, (ast.Tuple, ast.List)):
        return []
    values: List[Optional[ast.expr]] = [None] * len(target.elts)
    if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
        values = list(value.elts)
    return [given for part, given in zip(target.elts, values) if self_attribute(part) == attribute]


def rebinds(function: Function, name: str) -> bool:
    """Whether the body gives a parameter another value."""
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, (ast.Store, ast.Del))
        for node in own_nodes(function)
    )
