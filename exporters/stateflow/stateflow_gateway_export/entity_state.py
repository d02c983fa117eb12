"""What a split method does with attributes of other entities, and StateFlow does not do for it."""

import ast
from typing import Any, Dict, FrozenSet, List, Tuple

from .report import Report
from .source import Function, own_nodes

#: Upstream's event_flow.py: nodes that tell the request behind them no key, and what a method with such a pair does.
TELLS_NO_KEY = {
    "START": "it calls a split method that begins with an attribute of an argument",
    "RETURN": "it reads an attribute of an entity right after a call of a split method",
    "REQUEST_STATE": "after a call, an if or the head of a loop it reads an attribute of a second entity",
}


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
    requests = state_requests(graph)
    report_lost(requests, results_used(nodes, single, lists), where, report)
    report_untold(requests, where, report)
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    requested = {node["var_name"] for node in graph.values() if "var_name" in node and node["method_id"] == 0}
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


def state_requests(graph: Dict[str, Any]) -> List[Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Each request for an entity's state, with each node that it may come after."""
    pairs = [(node, graph[str(after)]) for node in graph.values() for after in node["next"]]
    return [(before, node) for before, node in pairs if node["type"] == "REQUEST_STATE"]


def report_lost(requests: List[Tuple[Any, Any]], used: FrozenSet[str], where: str, report: Report) -> None:
    """Upstream's event_flow.py: a call hands its result to a part of a method only, not to a request for a state."""
    calls = [before for before, _ in requests if before["type"] == "INVOKE_EXTERNAL"]
    own = {call["fun_name"] for call in calls if call["method_id"] == 0}
    lost = sorted(own & used)
    if lost:
        report.note(
            where,
            f"StateFlow loses the result of {', '.join(lost)}, since an attribute of an entity is read right after it: "
            'the method goes on with the text "__Null__"; read the attribute before the call',
        )


def report_untold(requests: List[Tuple[Any, Any]], where: str, report: Report) -> None:
    """Requests without a key. Those of the first part get it from the gateway, and have none in the document."""
    told = {node["id"] for before, node in requests if before["type"] not in TELLS_NO_KEY}
    # Of several such requests in a row, the first one is where the call ends.
    untold = {
        before["type"]
        for before, node in requests
        if node["input"]["__key"] is not None and (before["type"] != "REQUEST_STATE" or before["id"] in told)
    }
    for kind, text in TELLS_NO_KEY.items():
        if kind in untold:
            text += "; StateFlow does not hand on its key: each call that gets there is answered by 404"
            report.note(where, text)


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
