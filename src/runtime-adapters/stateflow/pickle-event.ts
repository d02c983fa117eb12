import { writeAddress } from './pickle-address.ts'
import { writeFlow } from './pickle-flow.ts'
import { Op } from './pickle-opcodes.ts'
import { PickleTemplate } from './pickle-template.ts'
import type { Call, RequestShape } from './request-shape.ts'

const EVENT = 'stateflow.dataflow.event'
const ARGS = 'stateflow.dataflow.args'

/** A pickled `Event` of `stateflow/dataflow/event.py`, byte for byte as CPython writes it. */
export function pickleTemplate(shape: RequestShape): (call: Call) => Buffer {
  const template = new PickleTemplate()
  const writeKey = () => keyHole(template, shape)
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

function keyHole(template: PickleTemplate, { keyType }: RequestShape): void {
  if (keyType === undefined) template.op(Op.None)
  else if (keyType === 'integer') template.valueHole(undefined, ({ key }) => key)
  else template.textHole(({ key }) => key)
}

function writePayload(template: PickleTemplate, { payload, type }: RequestShape, address: number): void {
  switch (payload.kind) {
    case 'empty':
      template.dict([])
      return
    case 'arguments':
      template.dict(argumentMembers(template, payload))
      return
    case 'attribute':
      template.dict([() => template.pair('attribute', payload.attribute)])
      return
    case 'attribute-value':
      template.dict([
        () => template.pair('attribute', payload.attribute),
        () => {
          template.text('attribute_value')
          template.lastHole(payload.schema, ({ value }) => value)
        },
      ])
      return
    case 'flow':
      template.dict([
        () => {
          template.text('flow')
          writeFlow({ template, own: { type, index: address } }, payload.flow)
        },
      ])
      return
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
  return method === undefined ? [writeArguments] : [writeArguments, () => template.pair('method_name', method)]
}
