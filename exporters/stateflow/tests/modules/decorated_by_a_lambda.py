import stateflow


@(lambda cls: cls)
class Plain:
    pass


@stateflow.stateflow
class Gate:
    def __init__(self, name: str):
        self.name: str = name

    def opens(self) -> bool:
        return True

    def both(self, other: "Gate") -> bool:
        opened = other.opens()
        return opened

    def __key__(self):
        return self.name
