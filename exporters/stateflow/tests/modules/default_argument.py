import stateflow


@stateflow.stateflow
class Refused:
    def __init__(self, name: str = "x"):
        self.name: str = name

    def __key__(self):
        return self.name
