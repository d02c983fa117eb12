import type { FunctionType } from './function-type.ts'
import { Op } from './pickle-opcodes.ts'
import type { PickleTemplate } from './pickle-template.ts'

const MODULE = 'stateflow.dataflow.address'

/** @returns the address’s number in the memo */
export function writeAddress(template: PickleTemplate, type: FunctionType, writeKey: () => void): number {
  return template.slotted(
    [MODULE, 'FunctionAddress'],
    [
      () => {
        template.text('function_type')
        writeFunctionType(template, type)
      },
      () => {
        template.text('key')
        writeKey()
      },
    ],
  )
}

/** A runtime never changes a function type, so all addresses share one. */
function writeFunctionType(template: PickleTemplate, type: FunctionType): void {
  const known = template.numberOf(nameOf(type))
  if (known !== undefined) {
    template.get(known)
    return
  }
  const { namespace, name, stateful } = type
  const index = template.slotted(
    [MODULE, 'FunctionType'],
    [
      () => template.pair('namespace', namespace),
      () => template.pair('name', name),
      () => {
        template.text('stateful')
        template.op(stateful ? Op.NewTrue : Op.NewFalse)
      },
    ],
  )
  template.name(nameOf(type), index)
}

/** Writes what references to entities are made of, and takes it from the stack again: only the memo keeps it. */
export function prepareReference(template: PickleTemplate, type: FunctionType): ReferenceNumbers {
  const prepare = (name: string, write: () => void): number => {
    const known = template.numberOf(name)
    if (known !== undefined) return known
    write()
    template.op(Op.Pop)
    return template.numberOf(name) ?? 0
  }
  const text = (name: string) => prepare(`text ${name}`, () => template.text(name))
  const global = (module: string, name: string) =>
    prepare(`global ${module} ${name}`, () => template.global(module, name))
  return {
    reference: global('stateflow.dataflow.event_flow', 'InternalClassRef'),
    address: global(MODULE, 'FunctionAddress'),
    functionType: prepare(nameOf(type), () => writeFunctionType(template, type)),
    functionTypeName: text('function_type'),
    keyName: text('key'),
    addressName: text('_fun_addr'),
    attributesName: text('_attributes'),
  }
}

/** Where the constant parts of a reference stand in the memo. */
export interface ReferenceNumbers {
  readonly reference: number
  readonly address: number
  readonly functionType: number
  readonly functionTypeName: number
  readonly keyName: number
  readonly addressName: number
  readonly attributesName: number
}

function nameOf({ namespace, name, stateful }: FunctionType): string {
  return `function ${namespace}/${name} ${stateful}`
}
