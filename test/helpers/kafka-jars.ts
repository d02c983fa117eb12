import { execFile, spawnSync } from 'node:child_process'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CACHE } from './cached-build.ts'

const run = promisify(execFile)
const version = '4.1.0'
const cache = join(CACHE, `kafka-${version}`)

/** The broker, its StorageTool, and a logger that can be told to be quiet. */
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>stateflow-gateway</groupId>
  <artifactId>test-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
`

/** For a JVM of minutes: what the second compiler and other collectors win later, they would spend at its start. */
export const shortLivedJvm: readonly string[] = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

export function javaCommand(): string {
  return process.env.JAVA_HOME === undefined ? 'java' : join(process.env.JAVA_HOME, 'bin', 'java')
}

/** The major one; 0: there is no Java. */
export function javaVersion(): number {
  const { stderr } = spawnSync(javaCommand(), ['-version'], { encoding: 'utf8' })
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0)
}

let reason: string | undefined | null = null

/**
 * Why no real broker can be had here; `undefined` where one can. In CI nothing may be missing, so there the tests run
 * and fail.
 */
export function kafkaUnavailable(): string | undefined {
  if (reason === null) reason = process.env.KAFKA_BROKERS === undefined ? missingPart() : undefined
  return process.env.CI === undefined ? reason : undefined
}

function missingPart(): string | undefined {
  if (javaVersion() < 17) return 'needs KAFKA_BROKERS, or Java 17 to start a broker'
  if (process.env.KAFKA_JARS_DIR !== undefined) return undefined
  const fetched = spawnSync(process.execPath, ['-e', `fs.accessSync(${JSON.stringify(join(cache, 'complete'))})`])
  if (fetched.status === 0 || spawnSync('mvn', ['-v']).status === 0) return undefined
  return 'needs KAFKA_BROKERS, KAFKA_JARS_DIR, or Maven to fetch the broker'
}

/** The class path of a broker; Maven fetches it once into the cache. */
export async function kafkaClassPath(): Promise<string> {
  const given = process.env.KAFKA_JARS_DIR
  if (given !== undefined) return join(given, '*')
  const files = await readdir(cache).catch((): string[] => [])
  if (!files.includes('complete')) await fetchJars()
  return join(cache, 'complete', '*')
}

async function fetchJars(): Promise<void> {
  const partial = join(cache, `partial-${process.pid}`)
  await mkdir(partial, { recursive: true })
  const pomFile = join(partial, 'pom.xml')
  await writeFile(pomFile, pom)
  await run('mvn', ['-q', '-B', '-f', pomFile, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`], {
    timeout: 300_000,
  })
  // The folder appears whole or not at all, so two runs side by side do no harm.
  await rename(partial, join(cache, 'complete'))
}
