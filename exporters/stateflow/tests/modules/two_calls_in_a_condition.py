import stateflow


@stateflow.stateflow
class Gate:
    def __init__(self, name: str):
        self.name: str = name

    def opens(self) -> bool:
        return True

    def both(self, other: "Gate") -> bool:
        if other.opens() and other.opens():
            return True
        return False

    def __key__(self):
        return self.name
