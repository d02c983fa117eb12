/**
 * What a pickle may name. The reader never imports or calls anything: a class of this list becomes a `PythonObject`
 * with its attributes, an enum’s member its name, and every other name makes the reply unreadable.
 */

const EVENT_FLOW_CLASSES = [
  ...['EventFlowGraph', 'EventFlowNode', 'StartNode', 'ReturnNode', 'RequestState', 'InvokeSplitFun'],
  ...['InvokeConditional', 'InvokeFor', 'InvokeExternal', 'InternalClassRef'],
]

/** Modules of StateFlow by their classes; upstream’s names, which no release has changed. */
const CLASSES: ReadonlySet<string> = new Set([
  'stateflow.dataflow.event.Event',
  'stateflow.dataflow.address.FunctionAddress',
  'stateflow.dataflow.address.FunctionType',
  'stateflow.dataflow.args.Arguments',
  ...EVENT_FLOW_CLASSES.map((name) => `stateflow.dataflow.event_flow.${name}`),
])

const ENUMS: ReadonlySet<string> = new Set(['stateflow.dataflow.event._Request', 'stateflow.dataflow.event._Reply'])

type GlobalKind = 'class' | 'enum' | 'attribute-of'

/** Python 3.11.0 to 3.11.3 write an enum’s member as `getattr(enum, name)`, all others as `enum(value)`. */
const ATTRIBUTE_OF = 'builtins.getattr'

/** A name that was looked up in the closed list. */
export class PythonGlobal {
  readonly kind: GlobalKind
  /** The name without its module. */
  readonly name: string

  constructor(kind: GlobalKind, name: string) {
    this.kind = kind
    this.name = name
  }
}

/** @returns `undefined` for whatever is not in the list */
export function lookUpGlobal(module: string, name: string): PythonGlobal | undefined {
  const path = `${module}.${name}`
  if (CLASSES.has(path)) return new PythonGlobal('class', name)
  if (path === ATTRIBUTE_OF) return new PythonGlobal('attribute-of', name)
  return ENUMS.has(path) ? new PythonGlobal('enum', name) : undefined
}

/** An instance, as data. */
export class PythonObject {
  readonly className: string
  readonly attributes = new Map<string, unknown>()

  constructor(className: string) {
    this.className = className
  }
}

/** A member of an enum, e.g. `Pong` of `_Reply`. */
export class PythonEnumMember {
  readonly enumName: string
  readonly value: string

  constructor(enumName: string, value: string) {
    this.enumName = enumName
    this.value = value
  }
}

/** A value of Python that JSON has nothing for. Only a problem where it stands in an answer. */
export class PythonOnly {
  /** With its article, e.g. `a set`. */
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}
