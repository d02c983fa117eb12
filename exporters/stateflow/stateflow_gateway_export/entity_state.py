"""What a split method does with attributes of other entities, and StateFlow does not do for it."""

import ast
from typing import Any, Dict, FrozenSet, List, Tuple

from .report import Report
from .source import Function, own_nodes


def report_entity_state(
    function: Function, links: Dict[str, Tuple[str, bool]], flow: Dict[str, Any], where: str, report: Report
) -> None:
    nodes = own_nodes(function)
    lists = frozenset(name for name, (entity, is_list) in links.items() if entity and is_list)
    single = frozenset(name for name, (entity, is_list) in links.items() if entity and not is_list)
    single |= loop_variables(nodes, lists)
    attributes = [node for node in nodes if isinstance(node, ast.Attribute) and is_entity(node.value, single, lists)]
    written = [ast.unparse(node) for node in attributes if isinstance(node.ctx, ast.Store)]
    if written:
        text = "is set on a copy: what an entity holds changes by its own methods only"
        report.note(where, f"{in_order(written)} {text}")
    graph = {name: node for name, node in flow["graph"].items() if name != "current"}
    report_lost(graph, results_used(nodes, single, lists), where, report)
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    requested = {node["var_name"] for node in graph.values() if "var_name" in node}
    unread = [
        ast.unparse(node)
        for node in attributes
        if isinstance(node.ctx, ast.Load) and id(node) not in called and not is_name_of(node.value, requested)
    ]
    if unread:
        report.note(
            where,
            f"StateFlow fetches nothing for {in_order(unread)}, since it is no plain statement that reads it: "
            "each call that gets there would end the runtime",
        )


def report_lost(graph: Dict[str, Any], used: FrozenSet[str], where: str, report: Report) -> None:
    """Upstream's event_flow.py: a call hands its result to a part of a method only, not to a request for a state."""
    before_request = [
        node for node in graph.values() if any(graph[str(after)]["type"] == "REQUEST_STATE" for after in node["next"])
    ]
    own = {node["fun_name"] for node in before_request if node["type"] == "INVOKE_EXTERNAL" and node["method_id"] == 0}
    lost = sorted(own & used)
    if lost:
        report.note(
            where,
            f"StateFlow loses the result of {', '.join(lost)}, since an attribute of an entity is read right after it: "
            'the method goes on with the text "__Null__"; read the attribute before the call',
        )
    if any(node["type"] == "START" and node["method_id"] != 0 for node in before_request):
        report.note(
            where,
            "it calls a split method that begins with an attribute of an argument; StateFlow does not hand on its key: "
            "each call that gets there is answered by 404",
        )


def results_used(nodes: List[ast.AST], single: FrozenSet[str], lists: FrozenSet[str]) -> FrozenSet[str]:
    """The methods of other entities whose results something is done with."""
    statements = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and id(node) not in statements]
    functions = [call.func for call in calls if isinstance(call.func, ast.Attribute)]
    return frozenset(function.attr for function in functions if is_entity(function.value, single, lists))


def loop_variables(nodes: List[ast.AST], lists: FrozenSet[str]) -> FrozenSet[str]:
    return frozenset(
        node.target.id
        for node in nodes
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and is_name_of(node.iter, lists)
    )


def is_entity(node: ast.expr, single: FrozenSet[str], lists: FrozenSet[str]) -> bool:
    return is_name_of(node, single) or (isinstance(node, ast.Subscript) and is_name_of(node.value, lists))


def is_name_of(node: ast.expr, names: Any) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def in_order(texts: List[str]) -> str:
    return ", ".join(sorted(set(texts)))
