"""Members of every kind."""

from functools import lru_cache

import stateflow


class Base:
    def inherited(self) -> int:
        return 1

    def _hidden(self) -> int:
        return 1


@stateflow.stateflow
class Member(Base):
    """A member.

    With a second paragraph.
    """

    kind: str = "plain"

    def __init__(self, name: str):
        """Takes a name."""
        self.name: str = name
        self.notes: list = []

    def documented(self) -> str:
        """Says the name."""
        return self.name

    def writes(self, name: str):
        self.name = name

    def writes_inside(self, note: str):
        self.notes.append(note)

    def lies(self) -> int:
        pass

    def bare_return(self, flag: bool):
        if flag:
            return
        self.name = "x"

    def nested(self, x: int) -> int:
        def twice(y: int) -> int:
            return y * 2

        return twice(x)

    def only_inside(self, x: int):
        def twice(y: int):
            return y * 2

        self.name = str(twice(x))

    def with_lambda(self, x: int):
        f = lambda z: z
        return f(x)

    def yields(self):
        yield 1

    def _private(self) -> int:
        return 1

    @property
    def label(self) -> str:
        return self.name

    @lru_cache
    def cached(self) -> int:
        return 1

    def __key__(self):
        return self.name
