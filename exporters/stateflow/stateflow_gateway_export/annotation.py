"""Python annotations as JSON Schema. What has no JSON form is ``{"unsupported": TEXT}`` and a line of the report."""

import ast
import copy
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Optional

Schema = Dict[str, Any]

SCALARS: Dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "Any": {},
    "object": {},
}
LISTS = frozenset({"List", "list", "Sequence"})
DICTS = frozenset({"Dict", "dict", "Mapping"})
TUPLES = frozenset({"Tuple", "tuple"})


@dataclass(frozen=True)
class Place:
    """Where an annotation stands."""

    where: str
    #: Whether a caller sends the value. StateFlow hands an entity over only as ``T`` or ``List[T]``.
    is_argument: bool
    #: For an argument: whether StateFlow made a link to the entities that the annotation names.
    is_linked: bool = True


@dataclass(frozen=True)
class AnnotationReader:
    entities: FrozenSet[str]
    unsupported: Callable[[str, str], None]
    note: Callable[[str, str], None]

    def read(self, node: Optional[ast.expr], place: Place) -> Schema:
        """An annotation that is not there allows any JSON value."""
        if node is None:
            return {}
        node = unquoted(node)
        if place.is_argument:
            refused = self._refused_link(node, place)
            if refused is not None:
                return refused
        return self._schema(node, place)

    def read_text(self, text: Optional[str], place: Place) -> Schema:
        if text is None or text == "NoType":
            return {}
        try:
            return self.read(ast.parse(text, mode="eval").body, place)
        except SyntaxError:
            return self._give_up(text, place, "the annotation can't be read")

    def _refused_link(self, node: ast.expr, place: Place) -> Optional[Schema]:
        named = sorted(self.names_entity(node))
        if not named:
            return None
        form = ast.unparse(Unquote().visit(copy.deepcopy(node)))
        if form not in {named[0], f"List[{named[0]}]"}:
            reason = f"StateFlow hands entities over as {named[0]} or List[{named[0]}] only, not in this form"
        elif not place.is_linked:
            reason = (
                f"StateFlow made no link to {named[0]} here: it knows the forms {named[0]} and List[{named[0]}], "
                "bare or with double quotes around the name, in methods other than __init__"
            )
        else:
            return None
        return self._give_up(form, place, reason)

    def names_entity(self, node: ast.expr) -> FrozenSet[str]:
        """The entities that an annotation names, however deep; quoted names are looked into."""
        found = set()
        parts = list(ast.walk(unquoted(node)))
        literals = [part.slice for part in parts if is_literal(part)]
        values = {id(value) for literal in literals for value in ast.walk(literal)}
        for part in parts:
            if id(part) in values:
                continue
            if isinstance(part, ast.Name) and part.id in self.entities:
                found.add(part.id)
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                inner = unquoted(part)
                found |= self.names_entity(inner) if inner is not part else frozenset()
        return frozenset(found)

    def _schema(self, node: ast.expr, place: Place) -> Schema:
        node = unquoted(node)
        if isinstance(node, ast.Subscript):
            return self._generic(node, place)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union([node.left, node.right], place)
        name = simple_name(node)
        if name in self.entities:
            return {"entity": name}
        if name in SCALARS:
            return dict(SCALARS[name])
        if name in LISTS:
            return {"type": "array"}
        if name in DICTS:
            return {"type": "object"}
        if name in TUPLES:
            return self._array_for_tuple({}, place)
        return self._give_up(ast.unparse(node), place, "this type has no JSON form")

    def _generic(self, node: ast.Subscript, place: Place) -> Schema:
        name = simple_name(node.value)
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name in LISTS and len(parts) == 1:
            return {"type": "array", "items": self._schema(parts[0], place)}
        if name in DICTS and len(parts) == 2:
            return self._dict(node, parts, place)
        if name in TUPLES:
            return self._tuple(parts, place)
        if name == "Optional" and len(parts) == 1:
            return self._union([parts[0], ast.Constant(None)], place)
        if name == "Union":
            return self._union(parts, place)
        if name == "Literal":
            return self._literal(node, parts, place)
        return self._give_up(ast.unparse(node), place, "this type has no JSON form")

    def _dict(self, node: ast.Subscript, parts: List[ast.expr], place: Place) -> Schema:
        if simple_name(unquoted(parts[0])) != "str":
            return self._give_up(ast.unparse(node), place, "the keys of a JSON object are strings")
        return {"type": "object", "additionalProperties": self._schema(parts[1], place)}

    def _tuple(self, parts: List[ast.expr], place: Place) -> Schema:
        if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is Ellipsis:
            return self._array_for_tuple({"items": self._schema(parts[0], place)}, place)
        if not parts:
            return {"type": "array", "maxItems": 0}
        items = [self._schema(part, place) for part in parts]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items), "maxItems": len(items)}

    def _array_for_tuple(self, items: Schema, place: Place) -> Schema:
        if place.is_argument:
            self.note(place.where, "a tuple of any length: the method gets a list")
        return {"type": "array", **items}

    def _union(self, parts: List[ast.expr], place: Place) -> Schema:
        options: List[Schema] = []
        for part in flattened(parts):
            option = self._schema(part, place)
            if option not in options:
                options.append(option)
        if {} in options:
            return {}
        return options[0] if len(options) == 1 else {"anyOf": options}

    def _literal(self, node: ast.Subscript, parts: List[ast.expr], place: Place) -> Schema:
        try:
            values = [ast.literal_eval(part) for part in parts]  # -1 is no constant in Python's syntax.
        except ValueError:
            values = [...]
        if not all(isinstance(value, (str, int, bool, type(None))) for value in values):
            return self._give_up(ast.unparse(node), place, "only text, numbers, booleans and None have a JSON form")
        return {"enum": values}

    def _give_up(self, text: str, place: Place, reason: str) -> Schema:
        self.unsupported(place.where, f"{text}: {reason}")
        return {"unsupported": text}


def is_literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and simple_name(node.value) == "Literal"


class Unquote(ast.NodeTransformer):
    """``List["User"]`` → ``List[User]``."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        inner = unquoted(node)
        return self.visit(inner) if inner is not node else node


def unquoted(node: ast.expr) -> ast.expr:
    """``"User"`` → ``User``: a forward reference."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.parse(node.value.strip(), mode="eval").body
        except SyntaxError:
            return node
    return node


def simple_name(node: ast.expr) -> str:
    """``typing.List`` and ``List`` are the same; a dotted name of another module is not."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant) and node.value is None:
        return "None"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"typing", "t"}:
        return node.attr
    return ""


def flattened(parts: List[ast.expr]) -> List[ast.expr]:
    """The members of a union, those of the unions inside it too."""
    flat: List[ast.expr] = []
    for part in map(unquoted, parts):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr):
            flat += flattened([part.left, part.right])
        elif isinstance(part, ast.Subscript) and simple_name(part.value) in {"Optional", "Union"}:
            inner = list(part.slice.elts) if isinstance(part.slice, ast.Tuple) else [part.slice]
            optional = [ast.Constant(None)] if simple_name(part.value) == "Optional" else []
            flat += flattened([*inner, *optional])
        else:
            flat.append(part)
    return flat
