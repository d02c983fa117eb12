import { type FlowTemplate, functionTypeIn, memberAt, scalarText, type Tree } from './flow.ts'
import { type FunctionType, sameFunction } from './function-type.ts'
import { prepareReference, type ReferenceNumbers, writeAddress } from './pickle-address.ts'
import { Op } from './pickle-opcodes.ts'
import type { PickleTemplate } from './pickle-template.ts'
import type { PickleWriter } from './pickle-writer.ts'
import type { Call, Hole } from './request-shape.ts'

const MODULE = 'stateflow.dataflow.event_flow'

/** The node classes of `event_flow.py`: what each has beside the members of every node, in the order Python sets them. */
const NODES: Readonly<Record<string, { readonly name: string; readonly members: readonly string[] }>> = {
  START: { name: 'StartNode', members: ['key'] },
  RETURN: { name: 'ReturnNode', members: ['return_name'] },
  REQUEST_STATE: { name: 'RequestState', members: ['var_name'] },
  INVOKE_EXTERNAL: { name: 'InvokeExternal', members: ['fun_name', 'args', 'key'] },
  INVOKE_SPLIT_FUN: { name: 'InvokeSplitFun', members: ['fun_name', 'params', 'definitions', 'typed_params'] },
  INVOKE_CONDITIONAL: {
    name: 'InvokeConditional',
    members: ['fun_name', 'params', 'if_true_node', 'if_false_node', 'if_true_block_id', 'if_false_block_id'],
  },
  INVOKE_FOR: {
    name: 'InvokeFor',
    members: [
      ...['fun_name', 'iter_name', 'iter_target', 'iteration', 'for_body_node', 'else_node'],
      ...['for_body_block_id', 'else_block_id', 'before_for_node'],
    ],
  },
}

/** Members that StateFlow’s JSON may leave out, with the values its constructors give them; only the compiler reads block ids. */
const DEFAULTS: Readonly<Record<string, Tree>> = {
  method_id: { kind: 'scalar', value: 0 },
  status: { kind: 'scalar', value: 'PENDING' },
  key: { kind: 'scalar', value: null },
  if_true_block_id: { kind: 'scalar', value: -1 },
  if_false_block_id: { kind: 'scalar', value: -1 },
  for_body_block_id: { kind: 'scalar', value: -1 },
  else_block_id: { kind: 'scalar', value: -1 },
}

/** What keeps a flow from being written as StateFlow’s classes; empty when nothing does. */
export function flowProblems({ graph }: FlowTemplate): readonly string[] {
  return nodesOf(graph).flatMap(([id, node]) => {
    const type = scalarText(memberAt(node, ['type']))
    const known = NODES[type]
    if (known === undefined) return [`has a flow node ${id} of the unknown type "${type}".`]
    const missing = [...COMMON.keys(), ...known.members].filter((name) => memberOf(node, name) === undefined)
    const address = memberAt(node, ['fun_addr'])
    if (address?.kind === 'dict' && functionTypeIn(address) === undefined) missing.push('fun_addr/function_type')
    return missing.map((name) => `has a flow node ${id} without "${name}".`)
  })
}

/** The members of every node by their attribute’s name, with their name in the graph. */
const COMMON: ReadonlyMap<string, string> = new Map([
  ['id', 'id'],
  ['typ', 'type'],
  ['fun_addr', 'fun_addr'],
  ['method_id', 'method_id'],
  ['input', 'input'],
  ['output', 'output'],
  ['status', 'status'],
  ['next', 'next'],
  ['previous', 'previous'],
])

function memberOf(node: Tree, name: string): Tree | undefined {
  return memberAt(node, [COMMON.get(name) ?? name]) ?? DEFAULTS[name]
}

function nodesOf(graph: FlowTemplate['graph']): readonly (readonly [string, Tree])[] {
  return [...graph.members].filter(([id]) => id !== 'current')
}

/** What the nodes of a flow are written with. */
interface FlowContext {
  readonly template: PickleTemplate
  /** The event’s own address, which the nodes of the called method share. */
  readonly own: { readonly type: FunctionType; readonly index: number }
}

export function writeFlow(context: FlowContext, { graph, current }: FlowTemplate): void {
  const { template } = context
  const numbers = new Map<string, number>()
  const writeOnce = (id: string, node: Tree): void => {
    const index = numbers.get(id)
    if (index !== undefined) {
      template.get(index)
      return
    }
    numbers.set(id, writeNode(context, node))
  }
  const nodes = nodesOf(graph)
  template.slotted(
    [MODULE, 'EventFlowGraph'],
    [
      () => {
        template.text('current_node')
        writeOnce(current, graph.members.get(current) ?? { kind: 'scalar', value: null })
      },
      () => {
        template.text('graph')
        template.list(
          nodes.map(
            ([id, node]) =>
              () =>
                writeOnce(id, node),
          ),
        )
      },
      () => {
        template.text('id_to_node')
        template.dict(
          nodes.map(([id, node]) => () => {
            template.text(id)
            writeOnce(id, node)
          }),
        )
      },
    ],
  )
}

/** @returns the node’s number in the memo */
function writeNode(context: FlowContext, node: Tree): number {
  const { template } = context
  const type = scalarText(memberAt(node, ['type']))
  const { name, members } = NODES[type] ?? { name: 'EventFlowNode', members: [] }
  const attributes = [...COMMON.keys(), ...members].map((attribute) => () => {
    template.text(attribute)
    if (attribute === 'fun_addr') writeNodeAddress(context, memberAt(node, ['fun_addr']), type)
    else writeTree(template, memberOf(node, attribute))
  })
  return template.object([MODULE, name], () => template.dict(attributes))
}

/**
 * Nodes of the called method share the event’s address, as they do in Python. The runtime writes keys into the
 * addresses of the other two kinds while it runs, so those have their own.
 */
function writeNodeAddress({ template, own }: FlowContext, address: Tree | undefined, nodeType: string): void {
  const type = functionTypeIn(address)
  if (type === undefined) {
    template.op(Op.None)
    return
  }
  const key = memberAt(address, ['key'])
  const isOwn = key?.kind === 'hole' && key.hole.kind === 'key' && sameFunction(type, own.type)
  if (isOwn && nodeType !== 'REQUEST_STATE' && nodeType !== 'INVOKE_EXTERNAL') {
    template.get(own.index)
    return
  }
  writeAddress(template, type, () => writeTree(template, key))
}

function writeTree(template: PickleTemplate, tree: Tree | undefined): void {
  switch (tree?.kind) {
    case undefined:
      template.op(Op.None)
      return
    case 'hole':
      writeHole(template, tree.hole)
      return
    case 'scalar':
      typeof tree.value === 'string' ? template.text(tree.value) : template.constant(tree.value)
      return
    case 'list':
      template.list(tree.items.map((item) => () => writeTree(template, item)))
      return
    case 'dict':
      template.dict(
        [...tree.members].map(([name, member]) => () => {
          template.text(name)
          writeTree(template, member)
        }),
      )
      return
  }
}

/** Holes of a flow take no number in the memo: what follows them is written ahead of the call. */
function writeHole(template: PickleTemplate, hole: Hole): void {
  switch (hole.kind) {
    case 'id':
      template.valueHole(undefined, ({ id }) => id)
      return
    case 'key':
      template.valueHole(undefined, ({ key }) => key)
      return
    case 'argument':
      template.valueHole(hole.schema, ({ args }) => args[hole.name])
      return
    case 'argument-key':
      template.valueHole(undefined, ({ args }) => args[hole.name])
      return
    case 'attribute-value':
      template.valueHole(hole.schema, ({ value }) => value)
      return
    case 'argument-ref': {
      const numbers = prepareReference(template, hole.type)
      template.hole((writer, { args }) => writeReference(writer, args[hole.name], numbers))
      return
    }
    case 'argument-refs': {
      const numbers = prepareReference(template, hole.type)
      template.hole((writer, call) => writeReferences(writer, keysOf(call, hole.name), numbers))
      return
    }
  }
}

function keysOf({ args }: Call, name: string): readonly unknown[] {
  const keys = args[name]
  return Array.isArray(keys) ? keys : []
}

function writeReferences(writer: PickleWriter, keys: readonly unknown[], numbers: ReferenceNumbers): void {
  writer.op(Op.EmptyList, Op.Mark)
  for (const key of keys) writeReference(writer, key, numbers)
  writer.op(Op.Appends)
}

/** An `InternalClassRef`: the address of an entity, and no attributes yet. */
function writeReference(writer: PickleWriter, key: unknown, numbers: ReferenceNumbers): void {
  writer.get(numbers.reference)
  writer.op(Op.EmptyTuple, Op.NewObj, Op.EmptyDict, Op.Mark)
  writer.get(numbers.addressName)
  writer.get(numbers.address)
  writer.op(Op.EmptyTuple, Op.NewObj, Op.None, Op.EmptyDict, Op.Mark)
  writer.get(numbers.functionTypeName)
  writer.get(numbers.functionType)
  writer.get(numbers.keyName)
  writer.value({ value: key, schema: undefined }, false)
  writer.op(Op.SetItems, Op.Tuple2, Op.Build)
  writer.get(numbers.attributesName)
  writer.op(Op.EmptyDict, Op.SetItems, Op.Build)
}
