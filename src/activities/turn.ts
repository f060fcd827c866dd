import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientConfig } from '../config.ts'
import type { Verdict } from '../oauth/index.ts'
import type { Admission, Gate, Reports, TokenHost } from '../store/gate.ts'
import { AttemptFailed } from './attempt-failed.ts'
import { within } from './keep.ts'

/** Redis has answered a moment ago */
const admitWithinMs = 250

/**
 * The turns of requests at one host, which all workers share: each waits for its own, and says afterwards how the host
 * is.
 */
export class TurnsAtHost {
  readonly #gate: Gate
  readonly #reports: Reports
  readonly #to: TokenHost

  constructor(gate: Gate, reports: Reports, { provider }: ClientConfig, endpoint: string) {
    const { name, rateLimit } = provider
    const budget = rateLimit === undefined ? {} : { budget: rateLimit.requests / rateLimit.perSeconds }
    this.#gate = gate
    this.#reports = reports
    this.#to = { provider: name, host: new URL(endpoint).host, ...budget }
  }

  /**
   * Waits for the turn of a request, or ends the attempt where that is far away: what is held back takes no place from
   * others. A Redis that has gone away since the look holds nobody back.
   *
   * @throws AttemptFailed where it is held back
   */
  async wait(credential: string, losesTokenAtMs: number): Promise<Admission | undefined> {
    const admission = await within(admitWithinMs, this.#gate.admit(this.#to, credential, losesTokenAtMs))
    if (admission === undefined) return undefined
    if (admission.verdict === 'hold') throw heldBack(this.#to.host, admission)
    if (admission.inMs > 0) await sleep(admission.inMs)
    return admission
  }

  report(admission: Admission | undefined, verdict: Verdict): void {
    const outcome = outcomeOf(verdict)
    if (admission === undefined || outcome === undefined) return
    const retryAfterMs = verdict.kind === 'throttled' ? verdict.retryAfterMs : undefined
    this.#reports.report(this.#to, admission, outcome, retryAfterMs)
  }
}

function heldBack(host: string, { mode, inMs }: Admission): AttemptFailed {
  if (mode === 'open') {
    const detail = `the rateLimit of ${host} is used up for the moment, and others need a token sooner`
    return new AttemptFailed('Unsent', { reason: 'over_budget', detail }, inMs, true)
  }
  const asked =
    mode === 'probing'
      ? 'requests there keep failing, and one in some seconds finds out whether they still do'
      : 'it answers again, and is asked more by and by'
  return new AttemptFailed('Unsent', { reason: 'provider_failing', detail: `${host}: ${asked}` }, inMs)
}

/** What an answer says of its host; undefined where it was not asked. Refused is answered, and no fault of the host. */
function outcomeOf(verdict: Verdict): 'alive' | 'failing' | undefined {
  switch (verdict.kind) {
    case 'granted':
    case 'too_early':
    case 'grant_refused':
    case 'client_refused':
      return 'alive'
    case 'unsent':
      // that was this machine
      return verdict.reason === 'late' ? undefined : 'failing'
    case 'ambiguous':
    case 'throttled':
    case 'unclear':
      return 'failing'
  }
}
