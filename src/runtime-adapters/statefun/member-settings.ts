import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { TOPIC_NAME } from '../kafka/topic-name.ts'
import { type Correlation, completeEnvelope, type Envelope } from './envelope.ts'
import type { StatefunOptions } from './options.ts'
import { type EntityRuntime, type MemberRuntime, type Report, readMemberRuntime } from './runtime-members.ts'

export type Encoding = 'json' | 'raw' | 'base64' | 'protobuf'

/** How one thing that an entity can do is asked of its function. */
export interface MemberSettings {
  /** The name in the message. */
  readonly method: string
  readonly functionType: string
  readonly topic: string
  readonly valueType: string
  readonly encoding: Encoding
  readonly replyEncoding: Encoding
  readonly replyType: string
  readonly correlation: Correlation
  readonly envelope: Envelope
  /** Never empty. */
  readonly replyTopics: readonly [string, ...string[]]
}

export interface MemberSource {
  readonly entity: EntityDescriptor
  /** The entity’s and its document’s members, already read. */
  readonly shared: EntityRuntime
  /** The member’s own, as they are in the metadata. */
  readonly own: unknown
  /** What the member is called in messages unless it says otherwise. */
  readonly name: string
  readonly options: StatefunOptions
  readonly report: Report
}

/** @returns `undefined` when something is missing, which has then been reported */
export function settingsOf({ shared, own, name, options, report }: MemberSource): MemberSettings | undefined {
  const member = readMemberRuntime(own, report)
  const merged: MemberRuntime = { ...shared, ...member }
  const { function: functionType, valueType, correlation = 'payload' } = merged
  const [first, ...others] = options.replyTopics.length > 0 ? options.replyTopics : (shared.replyTopics ?? [])
  if (functionType === undefined) report('has no "runtime.function", e.g. "shop/user".')
  if (valueType === undefined) report('has no "runtime.valueType": the type of its topic in module.yaml.')
  if (first === undefined) report('has no "runtime.replyTopics", and STATEFUN_REPLY_TOPICS names none either.')
  if (functionType === undefined || valueType === undefined || first === undefined) return undefined
  const topic = merged.topic ?? functionType.replaceAll('/', '_')
  if (!new RegExp(TOPIC_NAME).test(topic)) report(`needs a "runtime.topic": "${topic}" can’t be one.`)
  return {
    method: member.method ?? name,
    functionType,
    topic: correlation === 'dispatch' ? options.dispatchTopic : topic,
    valueType,
    ...encodingsOf(merged, valueType),
    correlation,
    envelope: completeEnvelope(merged.envelope ?? {}, correlation),
    replyTopics: [first, ...others],
  }
}

function encodingsOf(
  { encoding: given, replyType: answered, replyEncoding }: MemberRuntime,
  valueType: string,
): Pick<MemberSettings, 'encoding' | 'replyEncoding' | 'replyType'> {
  const encoding = given ?? encodingOf(valueType)
  const implied = answered === undefined ? encoding : encodingOf(answered)
  return { encoding, replyEncoding: replyEncoding ?? implied, replyType: answered ?? valueType }
}

/** Values of StateFun’s own types are protobuf wrappers; JSON in their place would kill the function. */
function encodingOf(valueType: string): Encoding {
  return valueType.startsWith('io.statefun.types/') ? 'protobuf' : 'json'
}
