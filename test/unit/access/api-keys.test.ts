import { describe, expect, it } from 'vitest'
import { createApiKeyCheck, newApiKey } from '../../../src/gateway/access/api-keys.ts'

describe('an entry of an API key', () => {
  it('is read back with every scope that it was made with, one with a # in it too', () => {
    const scopes = ['user:read#own', 'item:read']
    const { key, entry } = newApiKey('shop', scopes)
    for (const text of [entry, `# whose it is\n${entry} # since May\n`, `${newApiKey('other', []).entry} , ${entry}`]) {
      expect([...createApiKeyCheck(text)(key).scopes]).toEqual(scopes)
    }
  })

  it.each(['', 'Shop', 'my shop', '-shop', 'a'.repeat(64)])(
    'is not made under a name that it can’t be read back with: %j',
    (id) => {
      expect(() => newApiKey(id, [])).toThrow(/is no id of an API key/)
    },
  )

  it('has no scope that would be taken for a comment', () => {
    expect(() => newApiKey('shop', ['user:read', '#own'])).toThrow(/"#own" is no scope/)
    const { entry } = newApiKey('shop', [])
    expect(() => createApiKeyCheck(`${entry}#own`)).toThrow(/entry 1 is not ID:SHA256:SCOPES/)
  })
})
