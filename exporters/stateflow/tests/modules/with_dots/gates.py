import stateflow

from .limits import LIMIT


@stateflow.stateflow
class Gate:
    def __init__(self, name: str):
        self.name: str = name
        self.limit: int = LIMIT

    def opens(self, other: "Gate") -> int:
        return other.limit

    def __key__(self):
        return self.name
