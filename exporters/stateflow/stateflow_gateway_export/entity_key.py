"""The key of an entity. StateFlow knows it only by running ``__key__``; here it is read off the source."""

import ast
from typing import Any, Dict, Optional

from .annotation import AnnotationReader, Place
from .source import EntitySource, Function, assignments, parameters, rebinds, returned_values, self_attribute

KEY_TYPES = ("string", "integer")
#: Built-ins whose result is of one type whatever they are given.
CALLS = {"str": "string", "repr": "string", "hex": "string", "int": "integer", "len": "integer", "id": "integer"}


def read_key(source: EntitySource, reader: AnnotationReader, where: str, has_create: bool) -> Dict[str, Any]:
    """The document's ``key``: an argument of the constructor, or one that the entity makes up."""
    method = source.methods.get("__key__")
    if method is None:
        reader.unsupported(where, "the class has no __key__ method of its own; one that it inherits is not read")
        return {"name": "key", "schema": {"unsupported": "no __key__"}}
    returned = returned_values(method)
    expression = returned[0] if len(returned) == 1 else None
    attribute = self_attribute(expression) if expression is not None else None
    param = key_param(source, attribute) if attribute is not None else None
    schema = key_schema(source, reader, method, where)
    if param is not None:
        return {"name": param, "schema": schema}
    if has_create:
        text = ast.unparse(expression) if expression is not None else "the result of __key__"
        reader.note(where, f"{text} is not an argument of the constructor: a create's answer tells the key")
    name = attribute if attribute is not None and attribute.isascii() else "key"
    return {"name": name, "schema": schema, "generated": True}


def key_param(source: EntitySource, attribute: str) -> Optional[str]:
    """The constructor's parameter that is stored in the attribute as it is."""
    init = source.methods.get("__init__")
    if init is None:
        return None
    stored = assignments(init, attribute)
    if len(stored) != 1:
        return None
    statement, value = stored[0]
    names = [arg.arg for arg in parameters(init)]
    if not isinstance(value, ast.Name) or value.id not in names or statement not in init.body:
        return None
    return None if rebinds(init, value.id) else value.id


def key_schema(source: EntitySource, reader: AnnotationReader, method: Function, where: str) -> Dict[str, Any]:
    quiet = AnnotationReader(reader.entities, lambda *_: None, lambda *_: None)
    place = Place(where, is_argument=False)
    found = quiet.read(method.returns, place) or returned_schema(source, quiet, method, place)
    if found.get("type") in KEY_TYPES:
        return found
    text = found.get("unsupported") or (ast.unparse(method.returns) if method.returns else "an unknown type")
    reader.unsupported(where, f"{text}: a key is str or int, and its type must be written down (__key__(self) -> str)")
    return {"unsupported": str(text)}


def returned_schema(source: EntitySource, reader: AnnotationReader, method: Function, place: Place) -> Dict[str, Any]:
    schemas = [schema_of(value, source, reader, place) for value in returned_values(method)]
    return schemas[0] if schemas and all(schema == schemas[0] for schema in schemas) else {}


def schema_of(value: ast.expr, source: EntitySource, reader: AnnotationReader, place: Place) -> Dict[str, Any]:
    """The type of an expression, where it is beyond doubt; ``{}`` elsewhere."""
    attribute = self_attribute(value)
    if attribute is not None:
        return attribute_schema(attribute, source, reader, place)
    if isinstance(value, ast.JoinedStr):
        return {"type": "string"}
    if isinstance(value, ast.Constant):
        return {"type": {str: "string", int: "integer"}.get(type(value.value), "")}
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in CALLS:
        return {"type": CALLS[value.func.id]}
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        left = schema_of(value.left, source, reader, place)
        return left if left == schema_of(value.right, source, reader, place) else {}
    return {}


def attribute_schema(
    attribute: str, source: EntitySource, reader: AnnotationReader, place: Place
) -> Dict[str, Any]:
    annotation = source.state_annotation(attribute)
    if annotation is not None:
        return reader.read(annotation, place)
    init = source.methods.get("__init__")
    stored = assignments(init, attribute) if init is not None else []
    if init is None or len(stored) != 1 or stored[0][1] is None:
        return {}
    value = stored[0][1]
    if isinstance(value, ast.Name) and not rebinds(init, value.id):
        given = next((arg for arg in parameters(init) if arg.arg == value.id), None)
        return reader.read(given.annotation, place) if given is not None else {}
    # An attribute that is made of itself has no type of its own.
    inner = {self_attribute(part) for part in ast.walk(value)}
    return {} if attribute in inner else schema_of(value, source, reader, place)
