import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { KafkaOptions, toConnection } from '../../../src/runtime-adapters/kafka/options.ts'

const connectionOf = (options: Partial<KafkaOptions>) =>
  toConnection({ ...Value.Parse(KafkaOptions, Value.Default(KafkaOptions, {})), ...options })

describe('the options of a Kafka connection', () => {
  it('speak plaintext, as nobody, where nothing else is set', () => {
    const connection = connectionOf({})
    expect([connection.tls, connection.sasl]).toEqual([undefined, undefined])
  })

  it.each([
    ['KAFKA_TLS_CA_FILE', 'KAFKA_TLS=true', { tlsCaFile: 'ca.pem' }],
    ['KAFKA_TLS_CERT_FILE', 'KAFKA_TLS=true', { tlsCertFile: 'cert.pem' }],
    ['KAFKA_TLS_KEY_FILE', 'KAFKA_TLS=true', { tlsKeyFile: 'key.pem' }],
    ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_MECHANISM', { saslUsername: 'alice' }],
    ['KAFKA_SASL_PASSWORD', 'KAFKA_SASL_MECHANISM', { saslPassword: 'not-to-be-shown' }],
    ['KAFKA_SASL_TOKEN_FILE', 'KAFKA_SASL_MECHANISM', { saslTokenFile: 'token' }],
  ])('are refused with %s and without %s', (name, needed, options) => {
    expect(() => connectionOf(options)).toThrow(`${name} needs ${needed}`)
    expect(() => connectionOf(options)).not.toThrow('not-to-be-shown')
  })

  it('are refused with a mechanism and without what it needs', () => {
    expect(() => connectionOf({ saslMechanism: 'plain', saslUsername: 'alice' })).toThrow('KAFKA_SASL_PASSWORD')
    expect(() => connectionOf({ saslMechanism: 'oauthbearer' })).toThrow('KAFKA_SASL_TOKEN_FILE')
  })
})
