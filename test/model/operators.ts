import { PerennialError } from '../../src/errors.ts'
import { idOf } from './provider.ts'
import { setTimeout as sleep } from './timers.ts'
import { subject, type World } from './world.ts'

/** A call that changes what is wanted of the credential. */
export interface Wish {
  wants: 'living' | 'revoked' | 'whatever'
  /** of the grant that was handed over */
  family?: string
  beganMs: number
  endedMs?: number
  /** whether it certainly took effect; until it has ended, and where it failed, that is not known */
  certain: boolean
  /** it certainly had no effect */
  void?: boolean
}

/** What people and programs do to the credential, through the client that they are given. */
export class Operators {
  readonly #world: World
  readonly wishes: Wish[] = []
  #handed: Record<string, unknown> = {}
  #calls = 0

  constructor(world: World) {
    this.#world = world
  }

  connect(): void {
    const { holding, provider } = this.#world
    if (holding.kind === 'refresh_token') this.#handed = provider.consent()
    this.#handOver(this.#handed, 'living')
  }

  /** A callback that comes a second time, with a refresh token that may be spent. */
  repeat(): void {
    this.#handOver(this.#handed, 'whatever')
  }

  #handOver(handed: Record<string, unknown>, wants: Wish['wants']): void {
    const { holding, ledger } = this.#world
    const person = holding.kind === 'refresh_token'
    const family = person ? ledger.familyOf(idOf(String(handed.refresh_token))) : undefined
    // handed over again, it is wanted again
    if (family !== undefined) ledger.revoked.delete(family)
    this.#wish({ wants, ...(family === undefined ? {} : { family }) }, 'connect', async (perennial) => {
      const beginning = { ...(person ? { tokenResponse: handed } : {}), tuning: this.#world.tuning() }
      const view = await perennial.connect(subject, beginning)
      return { said: view.status, certain: true }
    })
  }

  revoke(): void {
    const wish = this.#wish({ wants: 'revoked' }, 'revoke', async (perennial) => {
      const { fenced, accepted } = await perennial.revoke(subject)
      if (fenced && accepted) this.#noteRevoked(wish.beganMs)
      return { said: `fenced ${fenced}, accepted ${accepted}`, certain: accepted || fenced }
    })
  }

  /** From here on nothing may be written of what had been handed over before that call. */
  #noteRevoked(beganMs: number): void {
    const isOver = ({ endedMs = Number.POSITIVE_INFINITY }: Wish) => endedMs < beganMs
    for (const { family } of this.wishes) {
      const handedOver = this.wishes.filter((wish) => wish.family === family)
      if (family !== undefined && handedOver.every(isOver)) this.#world.ledger.revoked.add(family)
    }
  }

  refreshNow(): void {
    this.#world.operate(`refreshNow-${++this.#calls}`, async (perennial) => {
      return (await perennial.refreshNow(subject)).status
    })
  }

  resync(): void {
    this.#world.operate(`resync-${++this.#calls}`, (perennial) =>
      untilDone(async () => JSON.stringify(await perennial.resync())),
    )
  }

  restore(): void {
    this.#world.operate(`restore-${++this.#calls}`, (perennial) =>
      untilDone(async () => {
        const outcomes: string[] = []
        for await (const { outcome } of perennial.restore()) outcomes.push(outcome)
        return outcomes.join()
      }),
    )
  }

  #wish(
    of: Pick<Wish, 'wants' | 'family'>,
    name: string,
    work: (perennial: Parameters<Parameters<World['operate']>[1]>[0]) => Promise<{ said: string; certain: boolean }>,
  ): Wish {
    const { time } = this.#world
    const wish: Wish = { ...of, beganMs: time.nowMs, certain: false }
    this.wishes.push(wish)
    this.#world.operate(`${name}-${++this.#calls}`, async (perennial) => {
      try {
        const { said, certain } = await work(perennial)
        wish.endedMs = time.nowMs
        wish.certain = certain
        return said
      } catch (error) {
        wish.void = error instanceof PerennialError && ['not_found', 'restore_needed'].includes(error.code)
        throw error
      }
    })
    return wish
  }

  /**
   * What may be wanted in the end: of the calls that certainly took effect those that no other one followed, and all
   * that may have.
   */
  wanted(): Wish[] {
    const effective = this.wishes.filter((wish) => !wish.void)
    const certain = effective.filter((wish) => wish.certain && wish.wants !== 'whatever')
    const isFollowed = ({ endedMs }: Wish) => endedMs !== undefined && certain.some(({ beganMs }) => beganMs > endedMs)
    return effective.filter((wish) => !isFollowed(wish))
  }
}

/** As a supervisor repeats it. */
async function untilDone(work: () => Promise<string>): Promise<string> {
  for (;;) {
    try {
      return await work()
    } catch {
      await sleep(2_000)
    }
  }
}
