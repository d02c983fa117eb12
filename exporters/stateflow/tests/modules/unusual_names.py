import stateflow


@stateflow.stateflow
class Cafe:
    def __init__(self, name: str):
        self.name: str = name
        self.größe: int = 0

    def öffnen(self) -> bool:
        return True

    def ask(self, wofür: str) -> str:
        return wofür

    def long_name_long_name_long_name_long_name_long_name_long_name_long_name_long_name_long_name_long_name_long_name_long_name_long_name_(self) -> bool:
        return True

    def plain(self) -> bool:
        return True

    def __key__(self):
        return str(self.größe)
