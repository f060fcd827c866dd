import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { SecretSource } from './schema.ts'
import { readSecret, type SecretPlaces } from './secrets.ts'

/** A secret in a file, and who takes it when it has changed. */
interface SecretFile {
  source: SecretSource & { file: string }
  /** what the file was when it was last read */
  seen?: string
  take(value: string): void
}

/** Files are looked at once in a second at most, however many ask. */
const lookEveryMs = 1_000

/**
 * The secrets of one client that stand in files: read again where a file has changed, so that rotating one needs no
 * restart. What cannot be read, as in the middle of a replacement, leaves the secret as it was.
 */
export class SecretFiles {
  readonly #places: SecretPlaces
  readonly #files: SecretFile[] = []
  #looking: Promise<unknown> = Promise.resolve()
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(places: SecretPlaces) {
    this.#places = places
  }

  /** @param take is given a value that is not wrong */
  add(source: SecretSource, isRight: (value: string) => boolean, take: (value: string) => void): void {
    if (!('file' in source)) return
    this.#files.push({
      source,
      take: (value) => {
        if (isRight(value)) take(value)
      },
    })
  }

  async reread(): Promise<void> {
    if (performance.now() - this.#lookedAtMs < lookEveryMs) {
      await this.#looking
      return
    }
    this.#lookedAtMs = performance.now()
    this.#looking = Promise.all(this.#files.map((file) => this.#look(file)))
    await this.#looking
  }

  async #look(file: SecretFile): Promise<void> {
    const path = resolve(dirname(this.#places.path), file.source.file)
    const state = await stat(path).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
      () => undefined,
    )
    if (state === undefined || state === file.seen) return
    const read = await readSecret(file.source, this.#places)
    if (!('value' in read)) return
    file.seen = state
    file.take(read.value)
  }
}
