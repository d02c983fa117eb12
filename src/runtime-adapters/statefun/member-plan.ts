import type { EntityDescriptor, ParameterDescriptor } from '../../entity-registry/descriptor.ts'
import { bareReplyReader, compileBareRequest } from './bare-value.ts'
import type { ReadAnswer, WriteMessage } from './function-call.ts'
import { jsonReplyReader } from './json-reply.ts'
import { compileJsonRequest } from './json-request.ts'
import { type MemberSettings, type MemberSource, settingsOf } from './member-settings.ts'
import type { Report } from './runtime-members.ts'

/** How one thing is asked and its answer read. */
export interface MemberPlan {
  readonly settings: MemberSettings
  readonly write: WriteMessage
  readonly read: ReadAnswer
}

export interface Member extends MemberSource {
  readonly params: readonly ParameterDescriptor[]
  /** A create whose key is made up: the function’s id is then the invocation’s. */
  readonly isKeyless: boolean
}

/** Does what can be done before the first call, and reports what would make a request that StateFun can’t take. */
export function planMember(member: Member): MemberPlan | undefined {
  const { entity, params, report } = member
  const settings = settingsOf(member)
  if (settings === undefined) return undefined
  checkCorrelation(member, settings)
  const { encoding, replyEncoding, valueType, envelope } = settings
  if (encoding === 'json' && valueType.startsWith('io.statefun.types/')) {
    report(
      `sends JSON as ${valueType}, which is a protobuf message: functions would fail on it, and the job with them.`,
    )
  }
  checkKey(entity, report)
  return {
    settings,
    write:
      encoding === 'json' ? compileJsonRequest(settings, params, report) : compileBareRequest(settings, params, report),
    read: replyEncoding === 'json' ? jsonReplyReader(envelope) : bareReplyReader(settings, report),
  }
}

function checkCorrelation({ isKeyless, report }: Member, { correlation, encoding, envelope }: MemberSettings): void {
  const isBare = encoding !== 'json'
  if (correlation === 'payload') {
    if (isBare) {
      report(
        `sends bare values (encoding "${encoding}"), which can’t carry a correlation id: give it "correlation": "dispatch".`,
      )
    } else if (envelope.request.correlationId === undefined) {
      report('has no place for the correlation id in its requests, which "correlation": "payload" needs.')
    }
  }
  if (correlation === 'key' && !isKeyless && (isBare || envelope.request.key === undefined)) {
    report(
      'has "correlation": "key", so the entity’s key must be in the message, and there is no place for it: set "envelope.request.key", or use "dispatch".',
    )
  }
}

/** The id is text on every wire; an integer has one spelling, so it is as good an id as any. */
function checkKey({ key }: EntityDescriptor, report: Report): void {
  if (key.type === 'string' && key.schema.minLength === 0) {
    report('has keys that may be empty; nobody can answer a function with an empty id.')
  }
}
