import { uuidAt } from '../kafka/as-uuid.ts'

const EVENT_ID = Buffer.from('event_id')
const DASH = 0x2d
/** Bytes between the name and the id: `":"` in JSON with some spaces, three in pickle. */
const MAX_GAP_BYTES = 32

/** The event’s id in a pickled or a JSON event, found without parsing. Its name stands before it in both. */
export function findEventId(value: Buffer): string | undefined {
  const name = value.indexOf(EVENT_ID)
  if (name < 0) return undefined
  const start = name + EVENT_ID.length
  // An id’s first dash is its ninth character.
  const id = value.indexOf(DASH, start) - 8
  return id < start || id > start + MAX_GAP_BYTES ? undefined : uuidAt(value, id)
}
