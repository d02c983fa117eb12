"""The metadata document of everything that StateFlow has compiled."""

import ast
import re
from typing import Any, Dict, FrozenSet, List, Optional, Tuple

from .annotation import AnnotationReader, Place
from .compiled import Compiled, ExportError
from .constructor import has_unseen_constructor, report_constructor
from .entity_key import read_key
from .entity_state import report_entity_state
from .flow import read_flow, report_flow
from .report import Report
from .source import EntitySource, Function, is_generator, parameters, returned_values

NAMESPACE = "global"
#: What the metadata's schema takes for a name.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
NAME_RULE = "ASCII letters, digits and _, at most 128"


def build_document(compiled: List[Compiled], application: str, runtime: str, report: Report) -> Dict[str, Any]:
    refuse_names(compiled)
    names = frozenset(item.descriptor.class_name for item in compiled)
    reader = AnnotationReader(names, report.unsupported, report.note)
    return {
        "formatVersion": 1,
        "application": identifier(application),
        "runtime": {"name": runtime, "namespace": NAMESPACE},
        "entities": [EntityExport(item, reader, report).entity() for item in compiled],
    }


def refuse_names(compiled: List[Compiled]) -> None:
    """Of entities and constructors, which can't be left out."""
    names: List[str] = []
    for item in compiled:
        entity, init = item.descriptor.class_name, item.descriptor.get_method_by_name("__init__")
        names += [] if NAME.fullmatch(entity) else [entity]
        params = init.input_desc.keys() if init is not None else []
        names += [f"{entity}.__init__({name})" for name in params if not NAME.fullmatch(name)]
    if names:
        raise ExportError(f"The gateway's names are {NAME_RULE}; not so {', '.join(names)}.")


def identifier(text: str) -> str:
    """A module's name as the document's application: ``tests.common`` → ``tests_common``."""
    return re.sub(r"^(?=[0-9])", "_", re.sub(r"[^A-Za-z0-9_]", "_", text))


class EntityExport:
    def __init__(self, compiled: Compiled, reader: AnnotationReader, report: Report):
        self._compiled = compiled
        self._descriptor = compiled.descriptor
        self._name = compiled.descriptor.class_name
        self._source = EntitySource(compiled.descriptor)
        self._reader = reader
        self._report = report

    def entity(self) -> Dict[str, Any]:
        self._report_left_out()
        report_constructor(self._compiled, self._source, self._report)
        init = self._descriptor.get_method_by_name("__init__")
        has_create = not has_unseen_constructor(self._compiled, self._source)
        return without_none(
            {
                "name": self._name,
                "description": self._source.description,
                "key": read_key(self._source, self._reader, f"{self._name}.__key__", has_create),
                "state": self._state(),
                "create": self._create(init),
                "methods": [self._method(method) for method in self._descriptor.methods_dec if self._is_shown(method)],
            }
        )

    def _is_shown(self, method: Any) -> bool:
        """StateFlow takes the functions beside a class for its methods too."""
        function = self._source.methods.get(method.method_name)
        if function is None or method.method_name.startswith("_") or is_property(function):
            return False
        return not unusable_names(function)

    def _state(self) -> Dict[str, Any]:
        texts = self._descriptor.state_desc._state_desc  # No method of StateDescriptor gives it whole.
        state: Dict[str, Any] = {}
        for name in filter(NAME.fullmatch, texts):
            place = Place(f"{self._name}.{name}", is_argument=False)
            annotation = self._source.state_annotation(name)
            state[name] = self._reader.read(annotation, place)
        return state

    def _create(self, init: Optional[Any]) -> Optional[Dict[str, Any]]:
        """A class without ``__init__`` is made without arguments."""
        function = self._source.methods.get("__init__")
        if has_unseen_constructor(self._compiled, self._source):
            self._report.note(
                f"{self._name}.__init__",
                "inherited or made by a decorator; StateFlow knows only the class's own body, so there is no create",
            )
            return None
        if init is None or function is None:
            return {"params": []}
        if init.flow_list:
            self._report.note(
                f"{self._name}.__init__",
                "StateFlow splits a constructor with an entity among its arguments and loses its body: "
                "each create would end the runtime",
            )
        return without_none(
            {"description": ast.get_docstring(function), "params": self._params(init, function, frozenset())}
        )

    def _method(self, method: Any) -> Dict[str, Any]:
        where = f"{self._name}.{method.method_name}"
        function = self._source.methods[method.method_name]
        links = self._links(method, function)
        linked = frozenset(name for name, (entity, _) in links.items() if entity)
        self._report_signature(method, function, where)
        return without_none(
            {
                "name": method.method_name,
                "description": ast.get_docstring(function),
                "params": self._params(method, function, linked),
                "returns": self._returns(function, where),
                "readOnly": bool(method.read_only),
                "runtime": self._runtime(method, links, where),
            }
        )

    def _links(self, method: Any, function: Function) -> Dict[str, Tuple[str, bool]]:
        """Of each parameter the entity that StateFlow links it to, by the compiler's own reading of the annotation."""
        texts = method.input_desc.get()
        return {arg.arg: link(texts.get(arg.arg, ""), self._reader.entities) for arg in parameters(function)}

    def _params(self, method: Any, function: Function, linked: FrozenSet[str]) -> List[Dict[str, Any]]:
        params: List[Dict[str, Any]] = []
        for arg in parameters(function):
            where = f"{self._name}.{method.method_name}({arg.arg})"
            place = Place(where, is_argument=True, is_linked=arg.arg in linked)
            schema = self._reader.read(arg.annotation, place)
            is_reference = set(schema) == {"entity"}
            params.append({"name": arg.arg, **(schema if is_reference else {"schema": schema})})
        return params

    def _returns(self, function: Function, where: str) -> Optional[Dict[str, Any]]:
        place = Place(f"{where} (returns)", is_argument=False)
        if is_generator(function):
            self._report.unsupported(place.where, "a generator: what it yields is no JSON value")
            return {"unsupported": "generator"}
        if not returned_values(function):
            return {"type": "null"}
        return self._reader.read(function.returns, place) if function.returns is not None else None

    def _runtime(self, method: Any, links: Dict[str, Tuple[str, bool]], where: str) -> Dict[str, Any]:
        if not method.flow_list:
            return {"request": "InvokeStateful"}
        try:
            flow = read_flow(self._descriptor, method, links)
        except Exception as error:  # StateFlow's compiler lets through what its client code then trips over.
            self._report.unsupported(where, f"its flow can't be written down: {type(error).__name__}: {error}")
            return {"request": "EventFlow"}
        report_flow(flow, where, self._report)
        report_entity_state(self._source.methods[method.method_name], links, flow, where, self._report)
        return {"request": "EventFlow", "flow": flow}

    def _report_signature(self, method: Any, function: Function, where: str) -> None:
        own = [arg.arg for arg in parameters(function)]
        foreign = [name for name in method.input_desc.get() if name not in own]
        if foreign:
            self._report.note(where, f"StateFlow takes {', '.join(foreign)} of a function inside for its own arguments")
        if function.args.posonlyargs[1:]:
            self._report.note(where, "StateFlow passes arguments by name: those before the / can't be given")
        if function.decorator_list:
            self._report.note(where, "StateFlow does not look at decorators; the signature is that of the source")

    def _report_left_out(self) -> None:
        for name, function in self._source.methods.items():
            if is_property(function):
                self._report.note(f"{self._name}.{name}", "a property is neither state nor a method, left out")
            elif name != "__init__" and unusable_names(function):
                self._report_name(name, unusable_names(function))
        for method in self._descriptor.methods_dec:
            if method.method_name not in self._source.methods:
                self._report.note(f"{self._name}.{method.method_name}", "a function outside of the class, left out")
        for name in self._compiled.inherited:
            self._report.note(f"{self._name}.{name}", "inherited; StateFlow knows only the class's own body, left out")
        for name in self._source.class_attributes():
            if name not in self._descriptor.state_desc._state_desc:
                self._report.note(f"{self._name}.{name}", "a class attribute is no state in StateFlow, left out")
        for name in self._descriptor.state_desc._state_desc:
            if not NAME.fullmatch(name):
                self._report_name(name, [name])

    def _report_name(self, member: str, names: List[str]) -> None:
        self._report.note(
            f"{self._name}.{member}",
            f"the gateway's names are {NAME_RULE}; {', '.join(names)} is not so, left out",
        )


def link(text: Any, entities: FrozenSet[str]) -> Tuple[str, bool]:
    """``MethodDescriptor._is_linked`` upstream: ``T`` or ``List[T]``, letter by letter."""
    for name in entities:
        if text in (name, f"List[{name}]"):
            return name, text != name
    return "", False


def unusable_names(function: Function) -> List[str]:
    names = [function.name, *(arg.arg for arg in parameters(function))]
    return [name for name in names if not NAME.fullmatch(name)]


def is_property(function: Function) -> bool:
    return any("property" in ast.unparse(node) or ".setter" in ast.unparse(node) for node in function.decorator_list)


def without_none(members: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
