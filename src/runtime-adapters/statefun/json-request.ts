import type { ParameterDescriptor } from '../../entity-registry/descriptor.ts'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import type { FunctionCall, WriteMessage } from './function-call.ts'
import { isWithin, type Pointer, showPointer } from './json-pointer.ts'
import type { MemberSettings } from './member-settings.ts'
import type { Report } from './runtime-members.ts'

/** One place in a request, and what stands there as JSON text. */
interface Part {
  readonly what: string
  readonly place: Pointer
  readonly write: (call: FunctionCall) => string
}

/** An object whose members are written in this order; arguments that are spread have no name of their own. */
type Node = { readonly kind: 'leaf'; readonly write: Part['write'] } | Branch
interface Branch {
  readonly kind: 'branch'
  readonly members: Map<string, Node>
  spread: Part['write'] | undefined
}

/** The work that can be done before the first call: what is left for each is to fill the places. */
export function compileJsonRequest(
  settings: MemberSettings,
  params: readonly ParameterDescriptor[],
  report: Report,
): WriteMessage {
  const fixed = fixedParts(settings)
  const where = settings.envelope.request.arguments
  reportClashes({ fixed, where, params }, report)
  const root: Branch = { kind: 'branch', members: new Map(), spread: undefined }
  for (const { place, write } of fixed) {
    const name = place.at(-1)
    if (name !== undefined) branchAt(root, place.slice(0, -1)).members.set(name, { kind: 'leaf', write })
  }
  branchAt(root, where).spread = argumentsWriter(params)
  const write = nodeWriter(root)
  return (call) => Buffer.from(write(call))
}

function fixedParts({ envelope: { request }, method, replyTopics }: MemberSettings): readonly Part[] {
  const constant = (value: string) => {
    const text = JSON.stringify(value)
    return () => text
  }
  const part = (what: string, place: Pointer | undefined, write: Part['write']): readonly Part[] =>
    place === undefined ? [] : [{ what, place, write }]
  return [
    ...part('correlationId', request.correlationId, ({ id }) => JSON.stringify(id)),
    // Whoever may choose the topic of an answer can end the job: an illegal name is enough. So it is the operator’s, always.
    ...part('replyTopic', request.replyTopic, constant(replyTopics[0])),
    ...part('method', request.method, constant(method)),
    ...part('key', request.key, ({ key }) => stringifyExact(key)),
  ]
}

interface Layout {
  readonly fixed: readonly Part[]
  readonly where: Pointer
  readonly params: readonly ParameterDescriptor[]
}

/** Nothing that a caller sends may stand where the gateway’s own members do. */
function reportClashes({ fixed, where, params }: Layout, report: Report): void {
  for (const [index, { what, place }] of fixed.entries()) {
    if (place.length === 0) report(`writes its ${what} to the root of the request, in place of all else.`)
    for (const other of fixed.slice(0, index)) {
      if (isWithin(place, other.place) || isWithin(other.place, place)) {
        report(`writes its ${other.what} to "${showPointer(other.place)}", and its ${what} there too.`)
      }
    }
    if (isWithin(where, place)) report(`writes its arguments into its ${what}, "${showPointer(place)}".`)
    const inArguments = isWithin(place, where) ? place[where.length] : undefined
    if (params.some(({ name }) => name === inArguments)) {
      report(`writes its ${what} to "${showPointer(place)}", where its parameter "${inArguments}" stands.`)
    }
  }
}

function branchAt(root: Branch, place: Pointer): Branch {
  let at = root
  for (const name of place) {
    const next = at.members.get(name)
    if (next?.kind === 'branch') {
      at = next
      continue
    }
    const made: Branch = { kind: 'branch', members: new Map(), spread: undefined }
    at.members.set(name, made)
    at = made
  }
  return at
}

function nodeWriter(node: Node): Part['write'] {
  if (node.kind === 'leaf') return node.write
  const members = [...node.members].map(([name, member], index) => ({
    label: `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
    write: nodeWriter(member),
  }))
  const { spread } = node
  return (call) => {
    let text = '{'
    for (const { label, write } of members) text += label + write(call)
    const rest = spread?.(call) ?? ''
    return rest === '' || members.length === 0 ? `${text}${rest}}` : `${text},${rest}}`
  }
}

function argumentsWriter(params: readonly ParameterDescriptor[]): Part['write'] {
  const members = params.map(({ name }) => ({ name, label: `${JSON.stringify(name)}:` }))
  return ({ args }) => {
    let text = ''
    for (const { name, label } of members) {
      if (!Object.hasOwn(args, name)) continue
      text += `${text === '' ? '' : ','}${label}${stringifyExact(args[name])}`
    }
    return text
  }
}
