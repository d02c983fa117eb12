import { readFileSync } from 'node:fs'

interface Recorded {
  readonly samples: readonly {
    readonly sample: string
    readonly reply: { readonly valueBase64: string }
  }[]
}

const ID_LENGTH = 36
/** What stands before the id in a pickled event: its name, a mark, and the head of a text of 36 bytes. */
const BEFORE_ID = Buffer.from('event_id\x94\x8c$', 'latin1')
/** The event's type, as a pickled text of four bytes. */
const PING = Buffer.from('\x8c\x04Ping', 'latin1')

let templates: { readonly flow: Buffer; readonly pong: Buffer } | undefined

/** What PyFlink once answered to the same call, with the id of this one written into it. */
export function pickledReplyTo(request: Buffer): Buffer {
  templates ??= { flow: recordedReply('eventflow-buy_item-true'), pong: recordedReply('ping') }
  const reply = Buffer.from(request.includes(PING) ? templates.pong : templates.flow)
  const from = idStart(request)
  request.copy(reply, idStart(reply), from, from + ID_LENGTH)
  return reply
}

function idStart(pickle: Buffer): number {
  const at = pickle.indexOf(BEFORE_ID)
  if (at < 0) throw new Error('there is no id in a pickled event')
  return at + BEFORE_ID.length
}

function recordedReply(wanted: string): Buffer {
  const file = new URL('../test/golden/stateflow/pickle.json', import.meta.url)
  // The project's own recording.
  const { samples } = JSON.parse(readFileSync(file, 'utf8')) as Recorded
  const found = samples.find(({ sample }) => sample === wanted)
  if (found === undefined) throw new Error(`no reply of ${wanted} was recorded`)
  return Buffer.from(found.reply.valueBase64, 'base64')
}
