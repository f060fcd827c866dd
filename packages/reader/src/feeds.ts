/**
 * The change notices of each tenant: whether they are heard without a gap, and who wants to know of them.
 */
import type { Client } from './connection.ts'
import { changedChannel, parseNotice } from './format.ts'
import { afterwards } from './signals.ts'

/** Undefined: notices may have been missed, whatever is known may be old. */
export type Listener = (generation: number | undefined) => void

export class Feed {
  readonly tenant: string
  /** notices are heard; what was read since is what stands in Redis */
  live = false
  /** one more with every gap: what was read in an earlier one has to be read again */
  epoch = 0
  /** while it is being subscribed to */
  opening: Promise<void> | undefined
  /** when Redis refused the subscription, on the monotonic clock */
  refusedMs = Number.NEGATIVE_INFINITY
  readonly listeners = new Map<string, Set<Listener>>()

  constructor(tenant: string) {
    this.tenant = tenant
  }

  tell(credential: string, generation: number | undefined): void {
    for (const listener of [...(this.listeners.get(credential) ?? [])]) listener(generation)
  }
}

const askAgainMs = 10_000
const subscribeLimitMs = 2_000

export class Feeds {
  readonly #feeds = new Map<string, Feed>()
  readonly #bound: number
  readonly #onNotice: (credential: string, generation: number) => void
  #node: Client | undefined

  constructor(bound: number, onNotice: (credential: string, generation: number) => void) {
    this.#bound = bound
    this.#onNotice = onNotice
  }

  /** The feed of a tenant. Where Redis refuses the subscription it is never live, and asked for again now and then. */
  of(tenant: string): Feed {
    let feed = this.#feeds.get(tenant)
    if (feed === undefined) {
      feed = new Feed(tenant)
      this.#feeds.set(tenant, feed)
      if (this.#feeds.size > this.#bound) this.#dropIdle(feed)
    }
    if (!feed.live && feed.opening === undefined && feed.refusedMs + askAgainMs < performance.now())
      this.#subscribe(feed)
    return feed
  }

  up(node: Client): void {
    this.#node = node
    for (const feed of this.#feeds.values()) this.#subscribe(feed)
  }

  down(): void {
    this.#node = undefined
    for (const feed of this.#feeds.values()) gap(feed)
  }

  /** Calls `listener` on each notice of a credential, until the function that it returns is called. */
  listen(tenant: string, credential: string, listener: Listener): () => void {
    const { listeners } = this.of(tenant)
    const all = listeners.get(credential) ?? new Set()
    listeners.set(credential, all.add(listener))
    return () => {
      all.delete(listener)
      if (all.size === 0 && listeners.get(credential) === all) listeners.delete(credential)
    }
  }

  #subscribe(feed: Feed): void {
    const node = this.#node
    if (node === undefined) return
    const heard = (message: string) => {
      const notice = parseNotice(feed.tenant, message)
      if (notice === undefined) return
      this.#onNotice(notice.credential, notice.generation)
      feed.tell(notice.credential, notice.generation)
    }
    const opening = afterwards(node.subscribe(changedChannel(feed.tenant), heard), subscribeLimitMs, (done) => {
      if (feed.opening === opening) feed.opening = undefined
      if (node !== this.#node) return
      if (done) live(feed)
      else feed.refusedMs = performance.now()
    })
    feed.opening = opening
  }

  /** One that nobody listens to; whatever was read under it is read again. */
  #dropIdle(kept: Feed): void {
    for (const feed of this.#feeds.values()) {
      if (feed === kept || feed.listeners.size > 0) continue
      this.#feeds.delete(feed.tenant)
      gap(feed)
      this.#node?.unsubscribe(changedChannel(feed.tenant)).catch(() => undefined)
      return
    }
  }
}

function live(feed: Feed): void {
  feed.live = true
  if (feed.epoch > 0) for (const credential of feed.listeners.keys()) feed.tell(credential, undefined)
}

function gap(feed: Feed): void {
  feed.live = false
  feed.epoch += 1
}
