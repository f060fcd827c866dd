import { type ClassName, classes } from './schedule.ts'

/** A credential of the run, as the program that plays its user knows it. */
export interface Account {
  credential: string
  client: ClassName
  /** of the referee; all credentials of client_credentials are one */
  user: string
  /** `revoked`: the fence is known to stand, and it has not begun anew */
  phase: 'living' | 'revoked'
  /** from the revoke on until it has begun anew, nobody counts on a token */
  excused: boolean
  /** a loss, a revoke or a reconnect is being dealt with */
  busy: boolean
  /** families of the provider, the living one last, and when the consent was given */
  consents: { family: string; atMs: number }[]
  /** access tokens that readers have seen since the last begin, by id */
  seen: Set<string>
  /** what no read that starts from now on may return */
  dead: { families: Set<string>; tokens: Set<string> }
}

/** So many accounts, spread evenly over the classes. */
export function accounts(count: number): Account[] {
  return Array.from({ length: count }, (_, index) => {
    const client = classes[index % classes.length] ?? 'none'
    const subject = `user${index + 1}`
    return {
      credential: `chaos/${client}/${subject}`,
      client,
      user: client === 'client_credentials' ? client : subject,
      phase: 'living',
      excused: true,
      busy: false,
      consents: [],
      seen: new Set(),
      dead: { families: new Set(), tokens: new Set() },
    }
  })
}

/** The fence stands: whatever was obtained so far is not to be read again. */
export function bury(account: Account): void {
  for (const { family } of account.consents) account.dead.families.add(family)
  for (const token of account.seen) account.dead.tokens.add(token)
  account.seen = new Set()
  account.phase = 'revoked'
}

/** Whether a token that a read returned was obtained before a revoke that had returned when the read began. */
export function isDead(dead: Account['dead'], tokenId: string, client: ClassName): boolean {
  const family = tokenId.split('.')[0] ?? ''
  return dead.tokens.has(tokenId) || (client !== 'client_credentials' && dead.families.has(family))
}
