"""The request of a split method: StateFlow's graph of its parts, and where a call's key and arguments go in it."""

import copy
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Set, Tuple

from .report import Report


@dataclass(frozen=True)
class Hole:
    """Stands in the graph for what each call brings. ``param`` is ``None`` for the called entity's key."""

    param: Optional[str]
    use: str

    def __deepcopy__(self, _memo: Dict[int, Any]) -> "Hole":
        return self


@dataclass(frozen=True)
class EntityArgument:
    """What StateFlow's client takes for an entity: it asks for the reference, and the reference for its key."""

    param: str

    def to_internal_ref(self) -> "ReferenceHole":
        return ReferenceHole(self.param)


class ReferenceHole:
    def __init__(self, param: str):
        self.param = param

    def _get_key(self) -> Hole:
        return Hole(self.param, "key")


def read_flow(descriptor: Any, method: Any, links: Dict[str, Tuple[str, bool]]) -> Dict[str, Any]:
    """
    Lets StateFlow's own client code lay marked arguments into the graph, and notes where they came to lie.

    :param links: of the parameters, in order, the entity's name (or "") and whether it is a list of them.
    """
    from stateflow.dataflow.address import FunctionAddress
    from stateflow.dataflow.args import Arguments
    from stateflow.dataflow.event_flow import EventFlowGraph

    arguments = {
        name: EntityArgument(name) if entity and not is_list else Hole(name, "refs" if entity else "value")
        for name, (entity, is_list) in links.items()
    }
    address = FunctionAddress(descriptor.to_function_type(), Hole(None, "key"))
    graph = EventFlowGraph.construct_and_assign_arguments(
        copy.deepcopy(method.flow_list), address, Arguments(arguments)
    )
    request_each_state(graph, arguments)
    places: List[Tuple[str, Hole]] = []
    form = {"current": graph.current_node.id}
    form.update({str(node.id): node_form(node) for node in graph.graph})
    emptied = empty(form, "", places)
    json.dumps(emptied)  # Raises where the compiler left something that JSON can't carry.
    return {"graph": emptied, **bindings(places, links)}


def request_each_state(graph: Any, arguments: Dict[str, Any]) -> None:
    """
    A method that begins with two attributes of one argument asks for its state twice, and StateFlow's client tells
    the key to the first request only: nobody would be found under the second one's.
    """
    from stateflow.dataflow.event_flow import EventFlowNode, Null

    for node in graph.graph:
        if node.typ == EventFlowNode.INVOKE_SPLIT_FUN:
            return
        if node.typ == EventFlowNode.REQUEST_STATE and node.get_request_key() == Null:
            node.set_request_key(arguments[node.var_name].to_internal_ref()._get_key())


def node_form(node: Any) -> Dict[str, Any]:
    """A node as the JSON serializer writes it. Upstream's own form leaves out what a flow needs after its first hop."""
    upstream = node.to_dict()
    first = {name: upstream.pop(name) for name in ("type", "fun_addr", "id")}
    form = {**first, "method_id": node.method_id, "status": node.status, **upstream}
    if "iter_name" in form:
        form["iter_name"] = node.iter_name  # Upstream writes iter_target here.
    return form


def empty(value: Any, pointer: str, places: List[Tuple[str, Hole]]) -> Any:
    """The value with ``None`` for each hole; the holes are added to ``places``."""
    if isinstance(value, ReferenceHole):
        value = Hole(value.param, "ref")
    if isinstance(value, Hole):
        places.append((pointer, value))
        return None
    if isinstance(value, dict):
        return {key: empty(item, f"{pointer}/{escaped(key)}", places) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [empty(item, f"{pointer}/{index}", places) for index, item in enumerate(value)]
    return value


def escaped(segment: Any) -> str:
    """RFC 6901, section 3."""
    return str(segment).replace("~", "~0").replace("/", "~1")


def bindings(places: List[Tuple[str, Hole]], links: Dict[str, Tuple[str, bool]]) -> Dict[str, Any]:
    params: Dict[str, List[Dict[str, str]]] = {name: [] for name in links}
    for pointer, hole in places:
        if hole.param is None:
            continue
        place = {"pointer": pointer, "as": hole.use}
        if hole.use in ("ref", "refs"):
            place["entity"] = links[hole.param][0]
        params[hole.param].append(place)
    return {
        "bind": {
            "key": [pointer for pointer, hole in places if hole.param is None],
            "params": {name: found for name, found in params.items() if found},
        },
        "unbound": [name for name, found in params.items() if not found],
    }


def report_flow(flow: Dict[str, Any], where: str, report: Report) -> None:
    for name in flow["unbound"]:
        report.note(f"{where}({name})", "the split method never uses this argument; it is checked, but not sent")
    strangers = sorted(names_without_a_value(flow))
    if strangers:
        report.note(
            where,
            f"StateFlow takes {', '.join(strangers)} for a variable of the split method and finds no value: "
            "each call that gets there would end the runtime",
        )


def names_without_a_value(flow: Dict[str, Any]) -> Set[str]:
    """
    What the parts of the method ask for, and no argument and no other part gives. The compiler excepts self, True,
    False, print and range only (upstream's split_block.py), so another built-in in the body is such a name.
    """
    nodes = [node for name, node in flow["graph"].items() if name != "current"]
    given = {*flow["bind"]["params"], *(name for node in nodes for name in node["output"])}
    given |= {node["return_name"] for node in nodes if "return_name" in node}
    return {name for node in nodes for name in node.get("params", ()) if name not in given}
