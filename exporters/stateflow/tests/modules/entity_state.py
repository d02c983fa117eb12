"""Attributes of other entities in split methods."""

from typing import List

import stateflow


@stateflow.stateflow
class Tank:
    def __init__(self, name: str):
        self.name: str = name
        self.level: int = 7
        self.limit: int = 9

    def fill(self, amount: int) -> int:
        self.level += amount
        return self.level

    def two(self, other: "Tank") -> int:
        level = other.level
        limit = other.limit
        return limit - level

    def in_one(self, other: "Tank") -> int:
        return other.level * other.limit

    def of_two(self, other: "Tank", third: "Tank") -> int:
        level = other.level
        limit = third.limit
        return limit - level

    def between(self, other: "Tank") -> int:
        before = other.level
        other.fill(1)
        limit = other.limit
        return limit

    def in_loop(self, others: List["Tank"]) -> int:
        total: int = 0
        for other in others:
            total += other.level
        return total

    def condition(self, other: "Tank") -> bool:
        if other.level > 5:
            return True
        return False

    def looked_up(self, others: List["Tank"]) -> int:
        level: int = others[0].level
        return level

    def condition_in_loop(self, others: List["Tank"]) -> int:
        total: int = 0
        for other in others:
            if other.level > 5:
                total += 1
        return total

    def result_then_attribute(self, other: "Tank") -> int:
        filled = other.fill(1)
        limit = other.limit
        return filled

    def attribute_then_result(self, other: "Tank") -> int:
        limit = other.limit
        filled = other.fill(1)
        return filled

    def no_result_then_attribute(self, other: "Tank") -> int:
        other.fill(1)
        limit = other.limit
        return limit

    def calls_split(self, other: "Tank", third: "Tank") -> int:
        limit = third.in_one(other)
        return limit

    def fills(self, other: "Tank") -> int:
        filled = other.fill(1)
        return filled

    def split_then_attribute(self, other: "Tank", third: "Tank") -> int:
        filled = third.fills(other)
        limit = other.limit
        return filled

    def second_after_a_call(self, other: "Tank", third: "Tank") -> int:
        other.fill(1)
        level = other.level
        limit = third.limit
        return limit - level

    def second_in_loop(self, others: List["Tank"], third: "Tank") -> int:
        total: int = 0
        for other in others:
            total += other.level + third.level
        return total

    def condition_after_split(self, other: "Tank", third: "Tank") -> bool:
        limit = third.no_result_then_attribute(other)
        if other.level > limit:
            return True
        return False

    def sets(self, other: "Tank", amount: int) -> bool:
        other.level -= amount
        return True

    def __key__(self):
        return self.name
