import stateflow


@stateflow.stateflow
class Café:
    def __init__(self, straße: str):
        self.name: str = straße

    def __key__(self):
        return self.name
