"""References to other entities, in the two forms that StateFlow knows and in others."""

from typing import Dict, List, Optional

import stateflow


@stateflow.stateflow
class Part:
    def __init__(self, number: str):
        self.number: str = number
        self.count: int = 0

    def add(self, amount: int) -> bool:
        self.count += amount
        return True

    def __key__(self):
        return self.number


@stateflow.stateflow
class Machine:
    def __init__(self, name: str):
        self.name: str = name
        self.parts: List[Part] = []
        self.spare: Optional[Part] = None
        self.next: "Machine" = None

    def one(self, amount: int, part: Part) -> bool:
        before = part.count
        if before > amount:
            return False
        done = part.add(amount)
        return done

    def by_reference(self, amount: int, part: Part) -> bool:
        done = part.add(amount)
        return done

    def many(self, parts: List["Part"]) -> int:
        total: int = 0
        for part in parts:
            part.add(1)
            total += 1
        return total

    def uses_a_built_in(self, part: Part) -> str:
        done = part.add(1)
        return str(done)

    def ignored(self, part: "Part") -> bool:
        return True

    def single_quoted(self, part: 'Part') -> bool:
        return True

    def single_quoted_list(self, parts: List['Part']) -> bool:
        return True

    def builtin_list(self, parts: list[Part]) -> bool:
        return True

    def maybe(self, part: Optional[Part]) -> bool:
        return True

    def by_name(self, parts: Dict[str, Part]) -> bool:
        return True

    def first(self) -> Part:
        return self.parts[0]

    def all(self) -> List["Part"]:
        return self.parts

    def __key__(self):
        return self.name
