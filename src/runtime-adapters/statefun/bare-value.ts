import { isUtf8 } from 'node:buffer'
import type { ParameterDescriptor } from '../../entity-registry/descriptor.ts'
import type { FunctionAnswer, ReadAnswer, WriteMessage } from './function-call.ts'
import type { Encoding, MemberSettings } from './member-settings.ts'
import type { Report } from './runtime-members.ts'
import { type WrapperName, wrapperNamed } from './wrapper-types.ts'

/** Messages that are one value and nothing else: text, bytes, or one of StateFun’s own protobuf wrappers. */
export type BareEncoding = Exclude<Encoding, 'json'>

/** What a value must be, in JSON Schema’s words, and how it becomes bytes; text instead: why it can’t. */
interface BareType {
  readonly schemaType: string
  readonly write: (value: unknown) => Buffer | string
  readonly read: (bytes: Buffer) => FunctionAnswer
}

const raw: BareType = {
  schemaType: 'string',
  write: (value) => Buffer.from(String(value)),
  read: (bytes) => (isUtf8(bytes) ? result(bytes.toString('utf8')) : unreadable('The reply is not UTF-8.')),
}

const base64: BareType = {
  schemaType: 'string',
  write(value) {
    const bytes = Buffer.from(String(value), 'base64')
    return bytes.toString('base64') === value ? bytes : 'The argument is not base64 (RFC 4648, with its padding).'
  },
  read: (bytes) => result(bytes.toString('base64')),
}

function wrapped(name: WrapperName): BareType {
  const { schemaType, write, read } = wrapperNamed(name)
  return {
    schemaType,
    write,
    read(bytes) {
      const value = read(bytes)
      return value === undefined ? unreadable(`The reply is not an io.statefun.types/${name}.`) : result(value)
    },
  }
}

export function compileBareRequest(
  { encoding, valueType }: MemberSettings,
  params: readonly ParameterDescriptor[],
  report: Report,
): WriteMessage {
  const type = encoding === 'json' ? undefined : bareType(encoding, valueType, report)
  const [param, ...others] = params
  if (param === undefined || others.length > 0 || !param.required) {
    report(`has the encoding "${encoding}": its message is one value, so it needs one parameter, which is required.`)
  } else if (type !== undefined && param.schema.type !== type.schemaType) {
    report(`has the parameter "${param.name}" of another type than its message: "type" must be "${type.schemaType}".`)
  }
  return ({ args }) => type?.write(args[param?.name ?? '']) ?? 'The message is of no known type.'
}

export function bareReplyReader({ replyEncoding, replyType }: MemberSettings, report: Report): ReadAnswer {
  const type = replyEncoding === 'json' ? undefined : bareType(replyEncoding, replyType, report)
  return (bytes) => type?.read(bytes) ?? unreadable('The reply is of no known type.')
}

function bareType(encoding: BareEncoding, typename: string, report: Report): BareType | undefined {
  switch (encoding) {
    case 'raw':
      return raw
    case 'base64':
      return base64
    case 'protobuf': {
      const name = /^io\.statefun\.types\/(string|bool|int|long|float|double)$/.exec(typename)?.[1]
      if (name === undefined) {
        report(
          `has the encoding "protobuf" with the type "${typename}"; there are io.statefun.types/string, bool, int, long, float and double.`,
        )
        return undefined
      }
      // The pattern above lists exactly these names.
      return wrapped(name as WrapperName)
    }
  }
}

function result(value: unknown): FunctionAnswer {
  return { kind: 'result', callId: undefined, value, key: undefined }
}

function unreadable(detail: string): FunctionAnswer {
  return { kind: 'unreadable', callId: undefined, detail }
}
