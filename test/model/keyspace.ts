/** What a Redis holds: strings and hashes that may end. Plain data, so that it can be rolled back. */
export interface Snapshot {
  strings: Map<string, { value: string; endsAtMs?: number }>
  hashes: Map<string, { fields: Map<string, string>; endsAtMs?: number }>
}

/** The commands that our scripts use, at a time that the caller says. */
export class Keyspace {
  nowMs = 0
  #strings: Snapshot['strings'] = new Map()
  #hashes: Snapshot['hashes'] = new Map()

  get(key: string): string | undefined {
    return this.#string(key)?.value
  }

  set(key: string, value: string, endsAtMs?: number): void {
    this.#strings.set(key, { value, ...(endsAtMs === undefined ? {} : { endsAtMs }) })
  }

  del(key: string): void {
    this.#strings.delete(key)
    this.#hashes.delete(key)
  }

  fields(key: string): Map<string, string> {
    return new Map(this.#hash(key)?.fields)
  }

  hset(key: string, ...pairs: [string, string | number][]): void {
    const hash = this.#hash(key) ?? { fields: new Map<string, string>() }
    this.#hashes.set(key, hash)
    for (const [name, value] of pairs) hash.fields.set(name, String(value))
  }

  hdel(key: string, ...names: string[]): void {
    const hash = this.#hash(key)
    for (const name of names) hash?.fields.delete(name)
    if (hash?.fields.size === 0) this.#hashes.delete(key)
  }

  expireAt(key: string, endsAtMs: number): void {
    const held = this.#hash(key) ?? this.#string(key)
    if (held !== undefined) held.endsAtMs = endsAtMs
  }

  /** -1: never; -2: there is no such key. */
  endsAtMs(key: string): number {
    const held = this.#hash(key) ?? this.#string(key)
    return held === undefined ? -2 : (held.endsAtMs ?? -1)
  }

  keys(): string[] {
    return [...this.#strings.keys(), ...this.#hashes.keys()].filter((key) => this.endsAtMs(key) !== -2)
  }

  snapshot(): Snapshot {
    return {
      strings: new Map([...this.#strings].map(([key, held]) => [key, { ...held }])),
      hashes: new Map([...this.#hashes].map(([key, held]) => [key, { ...held, fields: new Map(held.fields) }])),
    }
  }

  restore({ strings, hashes }: Snapshot): void {
    this.#strings = strings
    this.#hashes = hashes
  }

  #string(key: string) {
    const held = this.#strings.get(key)
    return held?.endsAtMs !== undefined && held.endsAtMs <= this.nowMs ? undefined : held
  }

  #hash(key: string) {
    const held = this.#hashes.get(key)
    return held?.endsAtMs !== undefined && held.endsAtMs <= this.nowMs ? undefined : held
  }
}
