import stateflow


@stateflow.stateflow
class Gate:
    def __init__(self, name: str):
        self.name: str = name

    def opens(self) -> bool:
        return True

    def nothing(self, other: "Gate"):
        opened = other.opens()
        return None

    def __key__(self):
        return self.name
