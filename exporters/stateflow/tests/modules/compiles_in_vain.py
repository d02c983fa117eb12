"""A module that calls init itself, on what StateFlow can't compile."""

import none_in_a_split_method
import stateflow

FLOW = stateflow.init()
Gate = none_in_a_split_method.Gate
