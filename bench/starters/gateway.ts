import { createTemporaryFolder } from '../../test/helpers/temporary-folder.ts'
import { startChild } from '../askable-child.ts'
import { type ContenderSetup, demoMetadata, type Start } from '../contender.ts'
import { createIssuer } from '../issuer.ts'
import { statefunDocument } from '../statefun-document.ts'
import { fromInside, moduleOf, overHttp, type Reach } from './own.ts'

/** The gateway, its variants, and its Kafka client alone. */

type Env = Readonly<Record<string, string>>

export function startEmbedded(reach: Reach): Start {
  return async (setup) => {
    const env = { GATEWAY_RUNTIME: 'embedded' }
    const child = await startChild({ module: moduleOf('gateway'), env, execArgv: setup.execArgv })
    return reach(setup, child, undefined)
  }
}

export function startGateway(
  client: string,
  { reach = overHttp(), env = {} }: { reach?: Reach; env?: Env } = {},
): Start {
  return async (setup) => {
    const all = { ...kafkaEnv(client, setup), ...env }
    const child = await startChild({ module: moduleOf('gateway'), env: all, execArgv: setup.execArgv })
    return reach(setup, child, setup.topics)
  }
}

export function startRawKafka(client: string): Start {
  return async (setup) => {
    const { topics, execArgv } = setup
    const child = await startChild({ module: moduleOf('raw-kafka'), env: kafkaEnv(client, setup), execArgv })
    return fromInside(setup, child, topics)
  }
}

/** Behind it, functions that carry the call's id in their payload. */
export const startStatefunGateway: Start = async (setup) => {
  const folder = createTemporaryFolder()
  const env = {
    GATEWAY_RUNTIME: 'statefun',
    GATEWAY_METADATA: folder.write('shop.metadata.json', statefunDocument(setup.topics)),
    KAFKA_BROKERS: brokersOf(setup),
  }
  const child = await startChild({ module: moduleOf('gateway'), env, execArgv: setup.execArgv })
  folder.close()
  return overHttp()(setup, child, setup.topics)
}

/** Every call shows a token; the issuer's keys are in a file. */
export const startJwtGateway: Start = async (setup) => {
  const issuer = await createIssuer()
  const folder = createTemporaryFolder()
  const env = {
    ...issuer.env,
    GATEWAY_JWKS_FILE: folder.write('keys.json', issuer.keys),
    GATEWAY_ACCESS: 'authenticated',
  }
  const reach = overHttp({ headers: [`Authorization: Bearer ${issuer.token}`] })
  const contender = await startGateway('platformatic', { reach, env })(setup)
  folder.close()
  return contender
}

function brokersOf({ kafka }: Pick<ContenderSetup, 'kafka'>): string {
  return (kafka?.brokers ?? []).join(',')
}

export function kafkaEnv(client: string, setup: Pick<ContenderSetup, 'kafka' | 'topics'>): Env {
  return {
    GATEWAY_RUNTIME: 'stateflow',
    GATEWAY_METADATA: demoMetadata,
    KAFKA_BROKERS: brokersOf(setup),
    KAFKA_CLIENT: client,
    STATEFLOW_SERIALIZER: 'json',
    STATEFLOW_ROUTING: 'dataflow',
    STATEFLOW_REQUEST_TOPIC: setup.topics.requestTopic,
    STATEFLOW_REPLY_TOPIC: setup.topics.replyTopic,
  }
}
