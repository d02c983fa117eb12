import { isRecord } from '../../entity-registry/plain-record.ts'
import { UnreadableReply } from '../kafka/reply-json.ts'
import { pickleTemplate } from './pickle-event.ts'
import { readPickle } from './pickle-reader.ts'
import { toPlain } from './plain-value.ts'
import { PythonEnumMember, PythonObject } from './python-objects.ts'
import type { EventCodec, ReplyEvent } from './request-shape.ts'

/** StateFlow’s `PickleSerializer`, its default and the only one that unmodified PyFlink runtimes answer in. */
export const pickleCodec: EventCodec = { compile: pickleTemplate, read }

function read(bytes: Buffer): ReplyEvent {
  if (bytes[0] === 0x7b) throw new UnreadableReply('The reply is JSON: this runtime does not answer in pickle.')
  const event = readPickle(bytes)
  if (!(event instanceof PythonObject) || event.className !== 'Event') {
    throw new UnreadableReply('The reply is a pickle, but not an event.')
  }
  const id = event.attributes.get('event_id')
  const type = event.attributes.get('event_type')
  const address = event.attributes.get('fun_address')
  if (typeof id !== 'string' || !(type instanceof PythonEnumMember)) {
    throw new UnreadableReply('The reply is a pickled event without an id and a type.')
  }
  const key = address instanceof PythonObject ? address.attributes.get('key') : undefined
  const payload = toPlain(event.attributes.get('payload') ?? null)
  if (!isRecord(payload)) throw new UnreadableReply('The reply is a pickled event without a payload.')
  return { id, type: type.value, key, payload }
}
