import { randomUUID } from 'node:crypto'
import { Admin, type BaseOptions, Consumer, FetchIsolationLevels, ProduceAcks, Producer } from '@platformatic/kafka'
import { partitionOfKey } from './partition-of-key.ts'
import { platformaticFetchPort, platformaticProducePort } from './platformatic-ports.ts'
