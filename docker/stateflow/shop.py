"""A shop of two entities. Each annotation tells StateFlow's compiler, and so the API, what a value is."""
import stateflow


@stateflow.stateflow
class Item:
    """Something that can be bought."""

    def __init__(self, item_name: str, price: int):
        self.item_name: str = item_name
        self.price: int = price
        self.stock: int = 0

    def update_stock(self, amount: int) -> bool:
        if self.stock + amount < 0:
            return False
        self.stock += amount
        return True

    def __key__(self):
        return self.item_name


@stateflow.stateflow
class User:
    """Somebody who buys."""

    def __init__(self, username: str):
        self.username: str = username
        self.balance: int = 1

    def update_balance(self, x: int):
        self.balance += x

    def get_balance(self) -> int:
        return self.balance

    def buy_item(self, amount: int, item: Item) -> bool:
        total_price = amount * item.price

        if self.balance < total_price:
            return False

        is_there = item.update_stock(-amount)

        if not is_there:
            return False

        self.balance -= total_price
        return True

    def __key__(self):
        return self.username
