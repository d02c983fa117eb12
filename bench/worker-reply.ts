const ID_START = '{"event_id":"'.length
const ID_LENGTH = 36
const TYPE_START = ID_START + ID_LENGTH + '","event_type":"'.length
const PING = 'P'.charCodeAt(0)
const FLOW = 'E'.charCodeAt(0)
const ADDRESS = Buffer.from(',"fun_address":')
const PAYLOAD = Buffer.from(',"payload":')

/**
 * The reply to a request of `JsonSerializer`, cut from the request's own bytes: the id stands at a fixed place, the
 * address between two names. Every method is answered as if it had returned `True`; a flow (`EventFlow`) says so in a list.
 */
export function replyTo(request: Buffer): Buffer {
  const addressAt = request.indexOf(ADDRESS, TYPE_START)
  const payloadAt = request.indexOf(PAYLOAD, addressAt)
  if (addressAt < 0 || payloadAt < 0) throw new Error('the worker answers JSON events only')
  const type = request[TYPE_START]
  const isPing = type === PING
  return Buffer.from(
    request.toString('latin1', 0, TYPE_START) +
      (isPing ? 'Pong"' : 'SuccessfulInvocation"') +
      request.toString('latin1', addressAt, payloadAt) +
      (isPing ? ',"payload":{}}' : `,"payload":{"return_results":${type === FLOW ? '[true]' : 'true'}}}`),
    'latin1',
  )
}

/** Of a request or a reply. */
export function idOf(event: Buffer): Buffer {
  return event.subarray(ID_START, ID_START + ID_LENGTH)
}
