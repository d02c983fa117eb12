import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '../helpers/gateway-process.ts'

type Environment = Readonly<Record<string, string>>

interface ComposeFile {
  readonly services: Readonly<Record<string, { readonly environment?: Environment }>>
}

export const composeFile = join(root, 'docker/compose.yaml')

/** The variables that docker/compose.yaml gives to a service, with the services' addresses replaced by those of this machine. */
export function composeEnvironment(service: string, addresses: Environment): Environment {
  // docker-compose itself checks its form in manifests.test.ts.
  const { services } = parse(readFileSync(composeFile, 'utf8'), { merge: true }) as ComposeFile
  const environment = services[service]?.environment
  if (environment === undefined) throw new Error(`${composeFile} gives no variables to ${service}`)
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, place(value, addresses)]))
}

function place(value: string, addresses: Environment): string {
  const defaulted = value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
  return Object.entries(addresses).reduce((text, [from, to]) => text.replaceAll(from, to), defaulted)
}
