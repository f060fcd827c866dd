import { setTimeout as sleep } from 'node:timers/promises'
import type { Tuning } from '../../src/workflows/messages.ts'
import * as messages from '../../src/workflows/messages.ts'
import type { Point } from './effects.ts'
import type { Path, Subject } from './paths.ts'
import type { Holding, Rig } from './rig.ts'

/** Short, and long enough for a machine that does many things at once. */
const tuning: Partial<Tuning> = {
  exchangeTimeoutMs: 4_000,
  startToCloseMs: 5_000,
  settleAfterMs: 3_000,
  misconfiguredEveryMs: 2_000,
}

/** What an attempt does beside its answer comes within this time. */
export const besideMs = 2_000

export type End = 'active' | 'reconnect_required' | 'closed'

/** What stops an attempt: it marks everything of the credential dead, or kills the process. */
export type Stop = (credential: string) => void

/** One credential on one path, of which one attempt is stopped once; without a target, none. */
export class Case implements Subject {
  readonly holding: Holding
  readonly path: Path
  readonly target: string | undefined
  readonly credential: string
  readonly user: string
  /** every point that was reached, in order */
  readonly trace: Point[] = []
  stoppedAtMs: number | undefined
  /** of the access token that it begins with */
  accessExpiresAtMs = 0
  readonly #rig: Rig
  #revoked: Promise<void> | undefined

  constructor(rig: Rig, name: string, of: { holding: Holding; path: Path; target?: string }) {
    const { refereeClient } = rig.register(name, of.holding)
    this.#rig = rig
    this.holding = of.holding
    this.path = of.path
    this.target = of.target
    this.credential = `crash/${name}/user`
    this.user = of.holding.kind === 'client_credentials' ? refereeClient : name
  }

  get label(): string {
    return `${this.path.name}, ${this.holding.name}, ${this.target ?? 'nothing stopped'}`
  }

  /** Begins the credential and makes the path's activities run. */
  async begin(): Promise<void> {
    const { referee, perennial } = this.#rig
    const { holding, path, user, credential } = this
    if (path.fault !== undefined) await referee.addFaults({ user, fault: path.fault })
    const needsPerson = holding.kind === 'refresh_token'
    const consentedAtMs = Date.now()
    const tokenResponse = needsPerson ? await referee.consent(user, holding.name) : undefined
    this.accessExpiresAtMs = consentedAtMs + (tokenResponse?.expires_in ?? 0) * 1_000
    await perennial.start(credential, { ...(tokenResponse === undefined ? {} : { tokenResponse }), tuning })
    await path.trigger(this.#rig, this)
  }

  async reached(point: Point, stop: Stop): Promise<void> {
    this.trace.push(point)
    if (this.stoppedAtMs === undefined && point.name === this.target) {
      this.stoppedAtMs = Date.now()
      stop(this.credential)
      this.path.stopped?.(this).catch(() => {})
      return
    }
    await this.path.meanwhile?.(point, this)
  }

  async revoke(): Promise<void> {
    this.#revoked ??= this.#rig.perennial.revoke(this.credential).then(() => {})
    await this.#revoked
  }

  /** Waits until the workflow and the store agree that this life is over, or that a new generation is held. */
  async ended(withinMs: number): Promise<End> {
    const untilMs = performance.now() + withinMs
    for (;;) {
      const end = await this.#end().catch(() => undefined)
      if (end !== undefined) return end
      if (performance.now() > untilMs) throw new Error(await this.#unfinished(withinMs))
      await sleep(700)
    }
  }

  async #end(): Promise<End | undefined> {
    const { store, temporal } = this.#rig
    const handle = temporal.client.workflow.getHandle(`credential/${this.credential}`)
    if (this.path.end === 'closed') return (await handle.describe()).status.name === 'COMPLETED' ? 'closed' : undefined
    const [[document], { hash }] = await Promise.all([store.statuses([this.credential]), store.read(this.credential)])
    if (document?.status !== 'active' && document?.status !== 'reconnect_required') return undefined
    const refreshed = this.holding.kind === 'client_credentials' ? 1 : 2
    if (document.status === 'active' && (hash?.writer === undefined || hash.generation < refreshed)) return undefined
    const { status, generation } = await temporal.client.withDeadline(Date.now() + 5_000, () =>
      handle.query(messages.state),
    )
    return status === document.status && generation === hash?.generation ? status : undefined
  }

  async #unfinished(withinMs: number): Promise<string> {
    const { store } = this.#rig
    const [[document], { hash }] = await Promise.all([store.statuses([this.credential]), store.read(this.credential)])
    const reached = this.trace.map(({ name }) => name)
    const seen = JSON.stringify({ document, generation: hash?.generation, stopped: this.stoppedAtMs, reached })
    return `${this.label}: not at its end within ${withinMs} ms; ${seen}`
  }

  async terminate(): Promise<void> {
    await this.#rig.temporal.client.workflow
      .getHandle(`credential/${this.credential}`)
      .terminate('judged')
      .catch(() => {})
  }
}
