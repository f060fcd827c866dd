import { AsyncLocalStorage } from 'node:async_hooks'
import type { Activities, ActivityDeps } from '../../src/activities/index.ts'

/** A place where an attempt can be stopped: before an effect, or after it and before anything that follows from it. */
export interface Point {
  credential: string
  activity: string
  /** which effect of which attempt, on which side: `refresh#1 store.write#1 before` */
  name: string
}

/** Called at every point. One that rejects makes the effect fail, undone; `stop` may be called from within. */
export type Reach = (point: Point) => Promise<void>

interface Attempt {
  credential: string
  activity: string
  name: string
  calls: Map<string, number>
  dead: boolean
}

/** data, what is known of the caller, and lines for operators */
const staysInside = ['config', 'keyring', 'caller', 'log']

/**
 * Sees every effect of the activities, whichever they are: each call of a method on what they are made with, and the
 * answer to Temporal at the end. What is not called on `deps` does not leave the process.
 */
export class Effects {
  readonly #reach: Reach
  readonly #current = new AsyncLocalStorage<Attempt>()
  readonly #attempts = new Map<string, Attempt[]>()
  readonly #never = Promise.withResolvers<never>()

  constructor(reach: Reach) {
    this.#reach = reach
    this.#never.promise.catch(() => {})
  }

  /** Everything that is not known to stay in the process, so that what is added later is watched too. */
  watchDeps(deps: ActivityDeps): ActivityDeps {
    const watched = Object.entries(deps).map(([name, dep]: [string, unknown]) => {
      if (staysInside.includes(name)) return [name, dep]
      if (typeof dep === 'function') return [name, this.#watchFunction(name, dep as (...args: never[]) => unknown)]
      if (typeof dep === 'object' && dep !== null) return [name, this.#watchMethods(name, dep)]
      throw new Error(`${name} is neither a function nor has methods`)
    })
    return Object.fromEntries(watched) as ActivityDeps
  }

  watchActivities(activities: Activities): Activities {
    const watched = Object.entries(activities).map(([activity, run]) => {
      const work = run as (input: { credential: string }) => Promise<unknown>
      const attempt = (input: { credential: string }) =>
        this.#current.run(this.#begin(activity, input.credential), async () => {
          try {
            return await work(input)
          } finally {
            await this.#at('answer', 'before')
          }
        })
      return [activity, attempt] as const
    })
    return Object.fromEntries(watched) as unknown as Activities
  }

  /** Nothing that has begun for this credential runs on, the rest of an attempt that has answered included. */
  stop(credential: string): void {
    for (const attempt of this.#attempts.get(credential) ?? []) attempt.dead = true
  }

  /** Lets what was stopped fail, so that its worker can shut down. */
  release(): void {
    this.#never.reject(new Error('the test is over'))
  }

  #begin(activity: string, credential: string): Attempt {
    const known = this.#attempts.get(credential) ?? []
    const nth = known.filter((attempt) => attempt.activity === activity).length + 1
    const attempt = { credential, activity, name: `${activity}#${nth}`, calls: new Map<string, number>(), dead: false }
    this.#attempts.set(credential, [...known, attempt])
    return attempt
  }

  #watchFunction(name: string, work: (...args: never[]) => unknown) {
    return (...args: never[]) => {
      const done = this.#effect(name, async () => work(...args))
      // some are not waited for
      done.catch(() => {})
      return done
    }
  }

  #watchMethods<Target extends object>(name: string, target: Target): Target {
    return new Proxy(target, {
      get: (_, property) => {
        const method: unknown = Reflect.get(target, property)
        if (typeof method !== 'function' || typeof property !== 'string') return method
        return (...args: unknown[]) => this.#effect(`${name}.${property}`, () => method.apply(target, args))
      },
    })
  }

  async #effect<T>(effect: string, work: () => Promise<T>): Promise<T> {
    const attempt = this.#current.getStore()
    if (attempt === undefined) return await work()
    const nth = (attempt.calls.get(effect) ?? 0) + 1
    attempt.calls.set(effect, nth)
    await this.#at(`${effect}#${nth}`, 'before')
    try {
      return await work()
    } finally {
      await this.#at(`${effect}#${nth}`, 'after')
    }
  }

  async #at(effect: string, side: 'before' | 'after'): Promise<void> {
    const attempt = this.#current.getStore()
    if (attempt === undefined) return
    if (attempt.dead) await this.#never.promise
    const { credential, activity } = attempt
    try {
      await this.#reach({ credential, activity, name: `${attempt.name} ${effect} ${side}` })
    } finally {
      if (attempt.dead) await this.#never.promise
    }
  }
}
