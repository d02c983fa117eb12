"""Keys of every kind."""

import uuid

import stateflow
from computing import compute


@stateflow.stateflow
class Generated:
    def __init__(self, label: str):
        self.id = str(uuid.uuid4())
        self.label: str = label

    def __key__(self):
        return self.id


@stateflow.stateflow
class Joined:
    def __init__(self, city: str, name: str):
        self.city: str = city
        self.name: str = name

    def __key__(self):
        return self.city + "/" + self.name


@stateflow.stateflow
class Formatted:
    def __init__(self, number: int):
        self.number: int = number

    def __key__(self):
        return f"no-{self.number}"


@stateflow.stateflow
class Renamed:
    def __init__(self, given: str):
        self.kept = given

    def __key__(self):
        return self.kept


@stateflow.stateflow
class Lowered:
    def __init__(self, name: str):
        self.name: str = name.lower()

    def __key__(self):
        return self.name


@stateflow.stateflow
class Numbered:
    def __init__(self, number: int):
        self.number: int = number

    def __key__(self):
        return self.number


@stateflow.stateflow
class Paired:
    def __init__(self, left: str, right: int):
        self.left, self.right = left, right

    def __key__(self):
        return self.left


@stateflow.stateflow
class Conditional:
    def __init__(self, name: str, other: str):
        self.name: str = other
        if len(name) > 0:
            self.name = name

    def __key__(self):
        return self.name


@stateflow.stateflow
class Rebound:
    def __init__(self, name: str):
        name = name.strip()
        self.name: str = name

    def __key__(self):
        return self.name


@stateflow.stateflow
class Declared:
    def __init__(self, seed):
        self.seed = seed

    def __key__(self) -> str:
        return compute(self.seed)


@stateflow.stateflow
class Unknown:
    def __init__(self, seed):
        self.seed = seed

    def __key__(self):
        return compute(self.seed)


@stateflow.stateflow
class Fractional:
    def __init__(self, weight: float):
        self.weight: float = weight

    def __key__(self):
        return self.weight
