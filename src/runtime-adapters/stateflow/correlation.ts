import { asUuid, UUID_LENGTH } from '../kafka/as-uuid.ts'

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
  const dash = value.subarray(start, start + MAX_GAP_BYTES + 9).indexOf(DASH)
  return dash < 8 ? undefined : asUuid(value.subarray(start + dash - 8, start + dash - 8 + UUID_LENGTH))
}
