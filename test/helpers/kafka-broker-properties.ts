import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a client needs for the secured listeners of the first broker. */
export interface KafkaSecurity {
  readonly saslBroker: string
  readonly tlsBroker: string
  readonly username: string
  readonly password: string
  /** PEM of the certificate that signed itself. */
  readonly ca: string
  readonly scramCredentials: readonly string[]
  readonly ports: readonly number[]
  readonly privateKey: string
}

/** `ports`: a SASL port for each broker, then a TLS port for each. */
export async function makeSecurity(folder: string, ports: readonly number[]): Promise<KafkaSecurity> {
  const [keyFile, certFile] = [join(folder, 'tls.key'), join(folder, 'tls.crt')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
    ...['-keyout', keyFile, '-out', certFile, ...subject],
  ])
  const [username, password] = ['alice', 'alice-secret']
  return {
    saslBroker: `127.0.0.1:${ports[0]}`,
    tlsBroker: `127.0.0.1:${ports[ports.length / 2]}`,
    username,
    password,
    ca: await readFile(certFile, 'utf8'),
    scramCredentials: [256, 512].map((bits) => `SCRAM-SHA-${bits}=[name=${username},password=${password}]`),
    ports,
    privateKey: await readFile(keyFile, 'utf8'),
  }
}

export interface BrokerProperties {
  readonly folder: string
  readonly index: number
  readonly count: number
  /** Client ports of all brokers, then their controller ports. */
  readonly ports: readonly number[]
  readonly settings: Readonly<Record<string, string>>
  readonly security: KafkaSecurity | undefined
}

/** The settings file of one broker that is its own controller too. */
export function brokerProperties({ folder, index, count, ports, settings, security }: BrokerProperties): string {
  const listeners = [`PLAINTEXT://127.0.0.1:${ports[index]}`]
  if (security !== undefined) {
    listeners.push(`SASL_PLAINTEXT://127.0.0.1:${security.ports[index]}`)
    listeners.push(`SSL://127.0.0.1:${security.ports[count + index]}`)
  }
  const voters = Array.from({ length: count }, (_, each) => `${each + 1}@127.0.0.1:${ports[count + each]}`)
  const minIsr = String(Math.min(2, count))
  const protocols = ['CONTROLLER', 'PLAINTEXT'].map((name) => `${name}:PLAINTEXT`)
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(index + 1),
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${ports[count + index]}`].join(','),
    'advertised.listeners': listeners.join(','),
    'listener.security.protocol.map': [...protocols, 'SASL_PLAINTEXT:SASL_PLAINTEXT', 'SSL:SSL'].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, `data-${index}`),
    'default.replication.factor': String(count),
    'min.insync.replicas': minIsr,
    'offsets.topic.replication.factor': String(count),
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': String(count),
    'transaction.state.log.min.isr': minIsr,
    'transaction.state.log.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    ...(security === undefined ? {} : securitySettings(security)),
    ...settings,
  }
  return Object.entries(all)
    .map(([key, value]) => `${key}=${value.replaceAll('\n', '\\n')}\n`)
    .join('')
}

function securitySettings({ username, password, ca, privateKey }: KafkaSecurity): Record<string, string> {
  const sasl = 'listener.name.sasl_plaintext'
  const modules = 'org.apache.kafka.common.security'
  const scram = `${modules}.scram.ScramLoginModule required;`
  return {
    [`${sasl}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [`${sasl}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required user_${username}="${password}";`,
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: scram,
    // Takes tokens without a signature: fit for a test alone.
    [`${sasl}.oauthbearer.sasl.jaas.config`]: `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    'listener.name.ssl.ssl.keystore.type': 'PEM',
    'listener.name.ssl.ssl.keystore.certificate.chain': ca,
    'listener.name.ssl.ssl.keystore.key': privateKey,
  }
}
