"""A module that writes past Python's own stdout, and once more when the process ends."""

import atexit
import os

import stateflow

os.write(1, b"from the module\n")
atexit.register(print, "at the end")


@stateflow.stateflow
class Loud:
    """Größer."""

    def __init__(self, name: str):
        self.name: str = name

    def __key__(self):
        return self.name
