import { createHash } from 'node:crypto'

/** A Lua script that Redis runs as one step. All keys of one script have one hash tag, so that a cluster can run it. */
export interface RedisScript {
  readonly lua: string
  readonly sha1: string
}

export function script(lua: string): RedisScript {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') }
}

/**
 * Writes a record.
 * KEYS: record, trace. ARGV: the record's JSON, its scope or '', ms to keep the record, ms to keep the trace.
 */
export const writeScript = script(`
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'scope', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], '', 'PX', ARGV[4])
return 1`)

/**
 * Gives a scope to a record, unless another has it.
 * KEYS: scope. ARGV: id, ms to hold it, an id whose record is no more or ''. Returns the id that has the scope now.
 */
export const claimScript = script(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[3] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`)

/** KEYS: scope. ARGV: id, ms to go on holding it; 0 gives it back. Nothing happens when another id has it. */
export const holdScript = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

/**
 * The runtime has the call. A message goes out only where somebody waits for that: hardly anybody ever does.
 * KEYS: record. ARGV: channel, id.
 */
export const acceptScript = script(`
if redis.call('HEXISTS', KEYS[1], 'scope') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'accepted', '1')
if redis.call('HEXISTS', KEYS[1], 'awaited') == 1 then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
return 1`)

/** KEYS: record, trace, released. ARGV: '1' asks for a message when the call is accepted. Returns a word, then what belongs to it. */
export const lookScript = script(`
local kept = redis.call('HMGET', KEYS[1], 'record', 'answer', 'accepted')
if kept[1] then
  if ARGV[1] == '1' and not kept[2] and not kept[3] then redis.call('HSET', KEYS[1], 'awaited', '1') end
  return { 'kept', kept[1], kept[2], kept[3] }
end
local released = redis.call('HMGET', KEYS[3], 'answer', 'record')
if released[1] then return { 'released', released[1], released[2] } end
if redis.call('EXISTS', KEYS[2]) == 1 then return { 'gone' } end
return { 'none' }`)

/**
 * The first answer stays.
 * KEYS: record, trace. ARGV: the answer's JSON, ms to keep the record, ms to keep the trace, channel, id. Returns a word and the scope.
 */
export const finishScript = script(`
local scope = redis.call('HGET', KEYS[1], 'scope')
if not scope then return { 'missing' } end
if redis.call('HSETNX', KEYS[1], 'answer', ARGV[1]) == 0 then return { 'late' } end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return { 'finished', scope }`)

/**
 * Ends a record that is not finished with an answer that is not its scope's; both stay a while for those who know its id.
 * KEYS: record, trace, released. ARGV: the answer's JSON, ms to keep it, channel, id. Returns whether it was forgotten.
 */
export const releaseScript = script(`
if redis.call('HEXISTS', KEYS[1], 'answer') == 1 then return 0 end
local record = redis.call('HGET', KEYS[1], 'record')
redis.call('DEL', KEYS[1], KEYS[2])
if record then redis.call('HSET', KEYS[3], 'record', record) end
redis.call('HSET', KEYS[3], 'answer', ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`)

/** Forgets a record that nobody knows of. KEYS: record, trace. */
export const dropScript = script(`return redis.call('DEL', KEYS[1], KEYS[2])`)

/**
 * By Redis's own clock, so that replicas' clocks need not agree.
 * KEYS: replicas. ARGV: a replica, ms of silence after which one is taken for dead. Returns those that live.
 */
export const beatScript = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)`)

/** KEYS: replicas. ARGV: a replica. */
export const leaveScript = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`)
