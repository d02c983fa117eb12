import { isRecord } from '../../entity-registry/plain-record.ts'
import { parseReply, textOfReply, UnreadableReply } from '../kafka/reply-json.ts'
import type { Tree } from './flow.ts'
import type { FunctionType } from './function-type.ts'
import { asPython, type TypedValue } from './python-type.ts'
import type { Call, EventCodec, Hole, PayloadShape, ReplyEvent, RequestShape } from './request-shape.ts'

/** StateFlow’s `JsonSerializer`, for runtimes whose JSON has been repaired: upstream’s can’t carry references. */
export const jsonCodec: EventCodec = {
  compile(shape) {
    const parts = mergeTexts(requestParts(shape))
    const isPlainShape = !parts.some((part) => typeof part === 'string' && BEYOND_ASCII.test(part))
    return (call) => {
      let text = ''
      let isAscii = isPlainShape
      // A flow has its entity's key in every node.
      let key: string | undefined
      for (const part of parts) {
        if (typeof part === 'string') text += part
        else if (part.kind === 'key' && key !== undefined) text += key
        else {
          const filled = fill(part, call)
          if (part.kind === 'key') key = filled
          isAscii &&= !BEYOND_ASCII.test(filled)
          text += filled
        }
      }
      // The same bytes either way; a flow is long, and characters of one byte are copied rather than looked at one by one.
      return Buffer.from(text, isAscii ? 'latin1' : 'utf8')
    }
  },
  read,
}

const BEYOND_ASCII = /[\u0080-\uffff]/

type Part = string | Hole

function requestParts({ request, type, keyType, payload }: RequestShape): readonly Part[] {
  return [
    '{"event_id":',
    { kind: 'id' },
    `,"event_type":"${request}","fun_address":{"function_type":${functionText(type)},"key":`,
    keyType === undefined ? 'null' : { kind: 'key' },
    '},"payload":{',
    ...payloadParts(payload),
    '}}',
  ]
}

function payloadParts(payload: PayloadShape): readonly Part[] {
  switch (payload.kind) {
    case 'empty':
      return []
    case 'arguments': {
      const args = payload.params.flatMap(({ name, schema }, index): readonly Part[] => [
        `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
        { kind: 'argument', name, schema },
      ])
      const method = payload.method === undefined ? '' : `,"method_name":${JSON.stringify(payload.method)}`
      return ['"args":{', ...args, `}${method}`]
    }
    case 'attribute':
      return [`"attribute":${JSON.stringify(payload.attribute)}`]
    case 'attribute-value': {
      const { attribute, schema } = payload
      return [`"attribute":${JSON.stringify(attribute)},"attribute_value":`, { kind: 'attribute-value', schema }]
    }
    case 'flow':
      return ['"flow":', ...treeParts(payload.flow.graph)]
  }
}

function treeParts(tree: Tree): readonly Part[] {
  switch (tree.kind) {
    case 'hole':
      return [tree.hole]
    case 'scalar':
      return [valueText({ value: tree.value, schema: undefined })]
    case 'list':
      return ['[', ...tree.items.flatMap((item, index) => [index === 0 ? '' : ',', ...treeParts(item)]), ']']
    case 'dict': {
      const members = [...tree.members].flatMap(([name, member], index) => [
        `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
        ...treeParts(member),
      ])
      return ['{', ...members, '}']
    }
  }
}

function mergeTexts(parts: readonly Part[]): readonly Part[] {
  const merged: Part[] = []
  for (const part of parts) {
    const last = merged.at(-1)
    if (typeof part === 'string' && typeof last === 'string') merged[merged.length - 1] = last + part
    else merged.push(part)
  }
  return merged
}

function fill(hole: Hole, { id, key, args, value }: Call): string {
  switch (hole.kind) {
    case 'id':
      return JSON.stringify(id)
    case 'key':
      return keyText(key)
    case 'argument':
      return valueText({ value: args[hole.name], schema: hole.schema })
    case 'argument-key':
      return keyText(args[hole.name])
    case 'argument-ref':
      return referenceText(args[hole.name], hole.type)
    case 'argument-refs': {
      const keys = args[hole.name]
      return `[${Array.isArray(keys) ? keys.map((item) => referenceText(item, hole.type)).join(',') : ''}]`
    }
    case 'attribute-value':
      return valueText({ value, schema: hole.schema })
  }
}

function keyText(key: unknown): string {
  return valueText({ value: key, schema: undefined })
}

function functionText({ namespace, name, stateful }: FunctionType): string {
  return `{"namespace":${JSON.stringify(namespace)},"name":${JSON.stringify(name)},"stateful":${stateful}}`
}

/** `InternalClassRef._to_dict`, with the attributes that a runtime fills in. */
function referenceText(key: unknown, type: FunctionType): string {
  const address = `{"function_type":${functionText(type)},"key":${keyText(key)}}`
  return `{"fun_addr":${address},"_type":"InternalClassRef","attributes":{}}`
}

function valueText(typed: TypedValue): string {
  const value = asPython(typed)
  switch (value.kind) {
    case 'none':
      return 'null'
    case 'bool':
    case 'int':
      return String(value.value)
    case 'float':
      return floatText(value.value)
    case 'text':
      return JSON.stringify(value.value)
    case 'list':
    case 'tuple':
      return `[${value.items.map(valueText).join(',')}]`
    case 'dict':
      return `{${value.members.map(([name, member]) => `${JSON.stringify(name)}:${valueText(member)}`).join(',')}}`
  }
}

/** With a point or an exponent: Python reads `5` as an int. */
function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0.0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

function read(bytes: Buffer): ReplyEvent {
  const event = parse(bytes)
  if (!isRecord(event)) throw new UnreadableReply('The reply is JSON, but not an event.')
  const { event_id: id, event_type: type, fun_address: address, payload } = event
  if (typeof id !== 'string' || typeof type !== 'string' || !isRecord(payload)) {
    throw new UnreadableReply('The reply is JSON, but not an event: it has no id, type and payload.')
  }
  return { id, type, key: isRecord(address) ? address.key : undefined, payload }
}

function parse(bytes: Buffer): unknown {
  // 0x80 opens every pickle; upstream’s PyFlink runtime answers in pickle whatever its serializer is.
  if (bytes[0] === 0x80)
    throw new UnreadableReply('The reply is a Python pickle: this runtime does not answer in JSON.')
  const text = textOfReply(bytes)
  const value = parseReply(text)
  return text.includes('InternalClassRef') ? withoutReferences(value) : value
}

/** An `InternalClassRef` is to a caller what it was when it came in: the entity’s key. */
function withoutReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutReferences)
  if (!isRecord(value)) return value
  if (value._type === 'InternalClassRef' && isRecord(value.fun_addr)) return value.fun_addr.key ?? null
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutReferences(member)]))
}
