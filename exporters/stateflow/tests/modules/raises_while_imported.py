import stateflow

LIMIT = stateflow.no_such_name
