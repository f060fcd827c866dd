import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Tokens are numbered within their family: `f7.r3` is the third refresh token of family f7, `f7.a4` its fourth access
 * token. These ids are safe to print; what a client is given is the id with an authentication code behind it.
 */
export interface TokenName {
  family: string
  kind: 'refresh' | 'access'
  serial: number
}

export const refreshId = (family: string, serial: number): string => `${family}.r${serial}`

export const accessId = (family: string, serial: number): string => `${family}.a${serial}`

/** Takes an id apart; absent where it is none. */
export function parseTokenId(id: string): TokenName | undefined {
  const [, family, letter, serial] = id.match(/^(f\d+)\.([ra])(\d+)$/) ?? []
  if (family === undefined || serial === undefined) return undefined
  return { family, kind: letter === 'r' ? 'refresh' : 'access', serial: Number(serial) }
}

/** The id that a token claims to be; the token itself where it is no token of a referee. */
export const tokenIdOf = (token: string): string => token.match(/^(f\d+\.[ra]\d+)\./)?.[1] ?? token

/** Turns ids into tokens that only the owner of the key can make, and back, without a table that grows. */
export class TokenMint {
  readonly #key: Buffer

  constructor(key: Buffer) {
    this.#key = key
  }

  tokenOf(id: string): string {
    return `${id}.${createHmac('sha256', this.#key).update(id).digest('base64url')}`
  }

  /** Absent where this mint has not made the token. */
  idOf(token: string): string | undefined {
    const id = tokenIdOf(token)
    const wanted = Buffer.from(this.tokenOf(id))
    const given = Buffer.from(token)
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? id : undefined
  }
}
