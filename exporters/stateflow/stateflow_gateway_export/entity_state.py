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
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    requested = {node["var_name"] for name, node in flow["graph"].items() if name != "current" and "var_name" in node}
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
