import stateflow


@stateflow.stateflow
class Gate:
    def __init__(self, name: str):
        self.name: str = name

    def opens(self, other: "Gate") -> bool:
        opened = other.opens(other)
        return opened

    def __key__(self):
        return self.name


@stateflow.stateflow
class Last:
    def __init__(self, name: str):
        self.name: str = name

    def __key__(self):
        return self.name
