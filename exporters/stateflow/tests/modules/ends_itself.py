import sys

import stateflow


@stateflow.stateflow
class Plain:
    def __init__(self, name: str):
        self.name: str = name

    def __key__(self):
        return self.name


sys.exit(0)
