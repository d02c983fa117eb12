import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import type { Static } from 'typebox'
import { deepFreeze } from '../entity-registry/deep-freeze.ts'
import { messageOf } from '../entity-registry/message-of.ts'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import { isRecord } from '../entity-registry/plain-record.ts'
import { misspeltVariables } from './misspelt-variables.ts'
import { listSettings, type Setting } from './setting-list.ts'
import { Settings } from './settings.ts'

export type Config = Static<typeof Settings>

/** The settings can't be used. Carries every problem, each in one line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
  }
}

export const settingList: readonly Setting[] = listSettings(Settings)

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Arguments after the command. */
  readonly argv: readonly string[]
}

export interface ReadConfig {
  readonly config: Config
  readonly positionals: readonly string[]
  readonly printConfig: boolean
}

/**
 * Defaults < config file < environment < flags. An environment variable that is not ours is left alone, unless it is
 * nearly one of ours.
 * @throws ConfigError
 */
export function readConfig({ env, argv }: ConfigSources): ReadConfig {
  const problems: string[] = []
  const { values, positionals } = readFlags(argv, problems)
  const file = typeof values.config === 'string' ? values.config : env.GATEWAY_CONFIG
  const tree = file === undefined ? {} : readFile(file, problems)
  dropFalseGroups(tree, problems)
  for (const setting of settingList) {
    const text = values[setting.flag.slice(2)] ?? variableOf(setting, env, problems)
    parentOf(tree, setting.path)
    if (text !== undefined) assign(tree, setting.path, parse(setting, text, problems))
    else if (setting.fallback !== undefined && lookup(tree, setting.path) === undefined) {
      assign(tree, setting.path, structuredClone(setting.fallback))
    }
  }
  problems.push(...misspeltVariables(env, settingList), ...violations(tree))
  if (problems.length > 0) throw new ConfigError(problems)
  // The check in `violations` is what makes this true.
  return { config: deepFreeze(tree as Config), positionals, printConfig: values['print-config'] === true }
}

/** Who is named in a URL, perhaps with his password. */
const URL_USER = /(?<=:\/\/)[^/?#\s"]+(?=@)/g

/** The configuration as it was understood, with secrets masked. */
export function printableConfig(config: Config): string {
  const copy = structuredClone(config) as Tree
  const trees = [copy, ...Object.values((copy.runtimes as Record<string, Tree> | undefined) ?? {})]
  for (const { path } of settingList.filter(({ secret }) => secret)) {
    for (const tree of trees) if (lookup(tree, path) !== undefined) assign(tree, path, '********')
  }
  return JSON.stringify(copy, null, 2).replace(URL_USER, '********')
}

type Tree = Record<string, unknown>

function readFlags(argv: readonly string[], problems: string[]) {
  const flags = settingList.filter(({ kind }) => kind !== 'object').map(({ flag }) => flag.slice(2))
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'string' as const }]))
  const known = { ...options, config: { type: 'string' as const }, 'print-config': { type: 'boolean' as const } }
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: known,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (!Object.hasOwn(known, token.name))
      problems.push(
        sentence(
          `there is no flag ${token.rawName}.`,
          didYouMean(
            token.rawName,
            Object.keys(known).map((name) => `--${name}`),
          ),
        ),
      )
    else if (token.name === 'print-config') {
      if (token.value !== undefined) problems.push('--print-config takes no value.')
    } else if (token.value === undefined) {
      problems.push(`${token.rawName} needs a value.`)
      delete values[token.name]
    }
  }
  return { values, positionals }
}

function readFile(file: string, problems: string[]): Tree {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isRecord(content)) return content
    problems.push(`${file}: it is no JSON object.`)
    return {}
  } catch (error) {
    problems.push(`${file}: ${messageOf(error)}`)
    return {}
  }
}

/** Groups of settings, outermost first. */
const groups: readonly string[] = [
  ...new Set(
    settingList.flatMap(({ path }) => {
      const names = path.split('.').slice(0, -1)
      return names.map((_name, at) => names.slice(0, at + 1).join('.'))
    }),
  ),
]

/** What is no group can't be given the defaults of its settings. */
function dropFalseGroups(tree: Tree, problems: string[]): void {
  for (const path of groups) {
    const group = lookup(tree, path)
    if (group === undefined || isRecord(group)) continue
    problems.push(`the setting "${path}" must be an object.`)
    assign(tree, path, {})
  }
}

/** A secret may also be a file's content, as containers are given them: `KAFKA_SASL_PASSWORD_FILE`. */
function variableOf(
  { env: name, fileEnv }: Setting,
  env: ConfigSources['env'],
  problems: string[],
): string | undefined {
  if (name === undefined) return undefined
  const file = fileEnv === undefined ? undefined : env[fileEnv]
  if (file === undefined) return env[name]
  if (env[name] !== undefined) problems.push(`${name} and ${fileEnv} exclude each other.`)
  try {
    // Editors end a file with a line break that is no part of a password.
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    problems.push(`${fileEnv}: ${messageOf(error)}`)
    return undefined
  }
}

/** Text that can't be read is one problem; the fallback in its place raises no others. */
function parse(setting: Setting, text: string | boolean, problems: string[]): unknown {
  const { kind, flag, env, fallback } = setting
  const value = String(text)
  const refuse = (why: string): unknown => {
    problems.push(`${env === undefined ? '' : `${env}, `}${flag}: "${value}" is ${why}.`)
    return fallback
  }
  if (kind === 'list')
    return value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  if (kind === 'integer') return /^-?\d+$/.test(value) ? Number(value) : refuse('not an integer')
  if (kind === 'boolean') return /^(true|false)$/.test(value) ? value === 'true' : refuse('neither "true" nor "false"')
  return value
}

const validate = new Ajv2020({ allErrors: true, verbose: true, strict: false }).compile(Settings)

function violations(tree: Tree): readonly string[] {
  if (validate(tree)) return []
  return (validate.errors ?? []).map(({ instancePath, message, keyword, params, parentSchema, data }) => {
    const path = instancePath.slice(1).replaceAll('/', '.')
    if (keyword === 'additionalProperties') return unknownMember(path, String(params.additionalProperty), parentSchema)
    const variable = variableAt(path)
    if (keyword === 'pattern' && parentSchema?.form !== undefined)
      return `${variable}"${data}" in the setting "${path}" must have the form ${parentSchema.form}.`
    const choices = keyword === 'enum' ? ` (${params.allowedValues.join(', ')})` : ''
    const text = `${variable}the setting "${path}" ${message}${choices}.`
    return sentence(text, keyword === 'enum' ? didYouMean(String(data), params.allowedValues) : undefined)
  })
}

function unknownMember(path: string, name: string, { form, properties = {} }: AnySchemaObject = {}): string {
  // Where members are named freely, within a form.
  if (form !== undefined) return `"${name}" in the setting "${path}" must have the form ${form}.`
  const place = path === '' ? name : `${path}.${name}`
  return sentence(`there is no setting "${place}".`, didYouMean(name, Object.keys(properties)))
}

/** `KAFKA_BROKERS: `, for an item of a list too; nothing where no variable gives the setting. */
function variableAt(path: string): string {
  const name = path.replace(/\.\d+$/, '')
  const env = settingList.find((one) => one.path === name)?.env
  return env === undefined ? '' : `${env}: `
}

function sentence(text: string, hint: string | undefined): string {
  return hint === undefined ? text : `${text} ${hint}`
}

function lookup(tree: Tree, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => (at as Tree | undefined)?.[name], tree)
}

function assign(tree: Tree, path: string, value: unknown): void {
  parentOf(tree, path)[path.slice(path.lastIndexOf('.') + 1)] = value
}

/** The object that holds a setting, made where it is missing. */
function parentOf(tree: Tree, path: string): Tree {
  return path
    .split('.')
    .slice(0, -1)
    .reduce((at, name) => {
      at[name] ??= {}
      return at[name] as Tree
    }, tree)
}
