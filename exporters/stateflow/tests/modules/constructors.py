"""Constructors of every kind; what fails in one ends the runtime."""

from contextlib import nullcontext
from dataclasses import dataclass

import stateflow

SEEN = []


class Dated:
    origin = "here"

    def __init__(self):
        self.made = 1


class Named:
    def __init__(self, name: str):
        self.name: str = name


@stateflow.stateflow
class Whole:
    limit = 3

    def __init__(self, name: str, big: bool):
        self.name: str = name
        if big:
            self.size: int = 2
        else:
            self.size = 1
        self.reset()

    def reset(self):
        with nullcontext():
            self.count: int = 0

    def change(self):
        self.limit = 4

    def __key__(self):
        return self.name


@stateflow.stateflow
class Unset:
    def __init__(self, name: str, big: bool):
        self.name: str = name
        self.declared: int
        if big:
            self.size: int = 2

    def begin(self):
        self.begun: int = 1

    def __key__(self):
        return self.name


@stateflow.stateflow
class Calling(Dated):
    def __init__(self, name: str):
        super().__init__()
        self.name: str = name

    def again(self):
        self.made = 2
        self.origin = "there"

    def __key__(self):
        return self.name


@stateflow.stateflow
class Inheriting(Named):
    def __key__(self) -> str:
        return self.name


@stateflow.stateflow
@dataclass
class Generated:
    name: str

    def __key__(self) -> str:
        return self.name


@stateflow.stateflow
class Bare:
    def __key__(self) -> str:
        return "the one"


@stateflow.stateflow
class Derived(Whole):
    def __init__(self, name: str):
        self.name: str = name

    def __key__(self):
        return self.name


@stateflow.stateflow
class Refusing:
    def __init__(self, name: str):
        if name == "x":
            raise ValueError("not x")
        self.name: str = name

    def __key__(self):
        return self.name


@stateflow.stateflow
class Explicit(Dated):
    def __init__(self, name: str):
        Dated.__init__(self)
        self.name: str = name

    def __key__(self):
        return self.name


@stateflow.stateflow
class Registering(Dated):
    def __init__(self, name: str):
        SEEN.append(self)
        self.name: str = name

    def __key__(self):
        return self.name


@stateflow.stateflow
class InHeads:
    def __init__(self, name: str):
        self.name: str = name
        if self.prepare():
            pass
        with nullcontext(2) as self.entered:
            pass
        for self.last in self.numbers():
            pass
        while self.wait():
            pass

    def prepare(self) -> bool:
        self.prepared: bool = False
        return self.prepared

    def numbers(self) -> list:
        self.asked: bool = True
        return [3]

    def wait(self) -> bool:
        self.waited: bool = True
        return False

    def change(self):
        self.entered = 4
        self.last = 4

    def __key__(self):
        return self.name
