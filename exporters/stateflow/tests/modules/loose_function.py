import stateflow


@stateflow.stateflow
class Loose:
    def __init__(self, name: str):
        self.name: str = name

    def __key__(self):
        return self.name


def helper(self, x: int) -> int:
    return x
