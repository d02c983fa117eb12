import { writeAddress } from './pickle-address.ts'
import { writeFlow } from './pickle-flow.ts'
import { Op } from './pickle-opcodes.ts'
import { PickleTemplate } from './pickle-template.ts'
import type { Call, RequestShape } from './request-shape.ts'

const EVENT = 'stateflow.dataflow.event'
const ARGS = 'stateflow.dataflow.args'

/** A pickled `Event` of `stateflow/dataflow/event.py`, byte for byte as CPython writes it. */
export function pickleTemplate(shape: RequestShape, keyType: 'string' | 'integer'): (call: Call) => Buffer {
  const template = new PickleTemplate()
  const writeKey = () => keyHole(template, shape, keyType)
  let address = 0
  template.slotted(
    [EVENT, 'Event'],
    [
      () => {
        template.text('event_id')
        template.textHole(({ id }) => id)
      },
      () => {
        template.text('fun_address')
        address = writeAddress(template, shape.type, writeKey)
      },
      () => {
        template.text('event_type')
        template.global(EVENT, '_Request')
        template.text(shape.request)
        template.op(Op.Tuple1)
        template.memoize()
        template.op(Op.Reduce)
        template.memoize()
      },
      () => {
        template.text('payload')
        writePayload(template, shape, address)
      },
    ],
  )
  return template.finish()
}

function keyHole(template: PickleTemplate, { keyed }: RequestShape, keyType: 'string' | 'integer'): void {
  if (!keyed) template.op(Op.None)
  else if (keyType === 'integer') template.valueHole(undefined, ({ key }) => key)
  else template.textHole(({ key }) => key)
}

function writePayload(template: PickleTemplate, { payload, type }: RequestShape, address: number): void {
  switch (payload.kind) {
    case 'empty':
      return template.dict([])
    case 'arguments':
      return template.dict(argumentMembers(template, payload))
    case 'attribute':
      return template.dict([() => template.pair('attribute', payload.attribute)])
    case 'attribute-value':
      return template.dict([
        () => template.pair('attribute', payload.attribute),
        () => {
          template.text('attribute_value')
          template.lastHole(payload.schema, ({ value }) => value)
        },
      ])
    case 'flow':
      return template.dict([
        () => {
          template.text('flow')
          writeFlow({ template, own: { type, index: address } }, payload.flow)
        },
      ])
  }
}

function argumentMembers(
  template: PickleTemplate,
  { params, method }: Extract<RequestShape['payload'], { kind: 'arguments' }>,
): readonly (() => void)[] {
  const writeArguments = () => {
    template.text('args')
    template.slotted(
      [ARGS, 'Arguments'],
      [
        () => {
          template.text('_args')
          template.dict(
            params.map(({ name, schema }) => () => {
              template.text(name)
              template.lastHole(schema, ({ args }) => args[name])
            }),
          )
        },
      ],
    )
  }
  return method === undefined
    ? [writeArguments]
    : [writeArguments, () => template.pair('method_name', method)]
}
