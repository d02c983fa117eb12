"""As StateFlow's demo_runtime does: the module has called init before the exporter can."""

import links
import stateflow

print("compiling")
FLOW = stateflow.init()
Machine = links.Machine
