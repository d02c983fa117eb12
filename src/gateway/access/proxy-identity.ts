import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { ProblemError } from '../../routes/problem.ts'
import type { ProxyOptions } from './access-options.ts'
import { type Caller, isName, scopesOf } from './caller.ts'
import { headerValues } from './header-values.ts'

/** Whom a trusted proxy has authenticated; `undefined`: it says nothing, or is not trusted. */
export type ProxyIdentity = (request: IncomingMessage) => Caller | undefined

/** @throws Error when an address can't be read */
export function createProxyIdentity(options: ProxyOptions, identityHeader: string): ProxyIdentity {
  const trusted = trustedAddresses(options.trusted)
  const identityName = identityHeader.toLowerCase()
  const scopesName = options.scopesHeader?.toLowerCase()
  return (request) => {
    const { headers, socket } = request
    if (headers[identityName] === undefined || !trusted(socket.remoteAddress)) return undefined
    const name = onlyOne(request, identityName)
    if (name === undefined || !isName(name)) {
      throw new ProblemError('invalid_credentials', { detail: 'The proxy names nobody, or more than one.' })
    }
    const scopes = scopesOf(scopesName === undefined ? undefined : onlyOne(request, scopesName))
    return { kind: 'proxy', principal: `proxy:${name}`, subject: name, scopes, claims: {} }
  }
}

/** A proxy that adds its header to one that came with the request, instead of replacing it, would pass on a lie. */
function onlyOne(request: IncomingMessage, name: string): string | undefined {
  const [value, ...others] = headerValues(request, name)
  return others.length > 0 || value === undefined ? undefined : asText(value)
}

/** Node reads each byte of a header as one character; a proxy writes names in UTF-8. */
function asText(value: string): string {
  if (Buffer.byteLength(value) === value.length) return value
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : value
}

function trustedAddresses(entries: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList()
  for (const entry of entries) addTo(list, entry)
  return (address) => address !== undefined && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function addTo(list: BlockList, entry: string): void {
  const [address = '', prefix, ...rest] = entry.split('/')
  const family = isIP(address)
  const bits = prefix === undefined ? undefined : Number(prefix)
  const isPrefix = bits === undefined || (/^\d+$/.test(prefix ?? '') && bits <= (family === 6 ? 128 : 32))
  if (family === 0 || rest.length > 0 || !isPrefix) {
    throw new Error(`GATEWAY_TRUSTED_PROXIES: "${entry}" is neither an address nor a network.`)
  }
  const type = family === 6 ? 'ipv6' : 'ipv4'
  if (bits === undefined) list.addAddress(address, type)
  else list.addSubnet(address, bits, type)
}
