"""Types of every kind, and what has no JSON form."""

import typing
from decimal import Decimal
from typing import Any, Dict, List, Literal, Optional, Set, Tuple, Union

import stateflow


@stateflow.stateflow
class Shapes:
    def __init__(self, name: str):
        self.name: str = name
        self.scores: Dict[str, float] = {}
        self.seen: Set[str] = set()
        self.anything = None

    def scalars(self, text: str, count: int, share: float, flag: bool, nothing: None) -> float:
        return share

    def collections(self, grid: List[List[int]], by_name: Dict[str, List[int]], bare: list, other: dict) -> List[int]:
        return grid[0]

    def optional(self, a: Optional[int], b: "int | None", c: Union[int, str, None], d: Optional[Any]) -> Optional[str]:
        return None

    def tuples(self, pair: Tuple[int, str], many: Tuple[int, ...], nested: List[Tuple[str, float]]) -> bool:
        return True

    def dotted(self, values: typing.List[int]) -> typing.Dict[str, int]:
        return {}

    def literal(self, size: Literal["small", "large"]) -> Any:
        return size

    def direction(self, step: Literal[-1, 0, 1], about: Literal["Shapes", None]) -> int:
        return step

    def unannotated(self, x, y):
        return x

    def returns_pair(self) -> Tuple[int, str]:
        return 1, "x"

    def raw(self, data: bytes) -> bytes:
        return data

    def inside(self, items: List[Set[int]], ids: Dict[int, str], price: Optional[Decimal]) -> bool:
        return True

    def __key__(self):
        return self.name
