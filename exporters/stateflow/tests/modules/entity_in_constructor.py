import stateflow


@stateflow.stateflow
class Owner:
    def __init__(self, name: str):
        self.name: str = name

    def __key__(self):
        return self.name


@stateflow.stateflow
class Dog:
    def __init__(self, name: str, owner: Owner):
        self.name: str = name
        self.owner: Owner = owner

    def __key__(self):
        return self.name
