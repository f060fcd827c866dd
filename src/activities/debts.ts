import type { AccessDocument } from '../../packages/reader/src/format.ts'
import type { GrantHash, TokenSetWrite } from '../store/store.ts'
import { type ActivityDeps, openAccess, openGrant, sealGrant } from './deps.ts'
import type { Grant } from './grant.ts'

/** Tokens that a provider is to revoke, as they are sealed for the way through the workflow. */
export interface Debt {
  refresh_token?: string
  access_token?: string
  /** of the access token, ISO 8601: afterwards there is nothing to revoke */
  expires_at?: string
}

/**
 * Everything that is known of a credential when it is fenced: what the workflow held, what stood in the store, and
 * what was on its way there. Each token once.
 *
 * @returns sealed with the grant key
 */
export function debtsOf(
  deps: ActivityDeps,
  credential: string,
  known: { grant?: string; unstored?: string },
  tombstone: GrantHash | undefined,
): string[] {
  const unstored =
    known.unstored === undefined ? undefined : readable(() => openWrite(deps, known.unstored, credential))
  const grants = [known.grant, unstored?.grant, tombstone?.grant].filter((sealed) => sealed !== undefined)
  const values = [unstored?.access?.value, tombstone?.access].filter((value) => value !== undefined)
  const opened = grants.map((sealed) => readable(() => openGrant<Grant>(deps.keyring, sealed, credential)))
  const accessTokens = values.map((value) => readable(() => openValue(deps, value, credential)))
  const debts: Debt[] = [
    ...new Set(opened.map((grant) => grant?.refresh_token).filter((token) => token !== undefined)),
  ].map((refresh_token) => ({ refresh_token }))
  for (const document of accessTokens) {
    if (document === undefined || debts.some(({ access_token }) => access_token === document.access_token)) continue
    debts.push({ access_token: document.access_token, expires_at: document.expires_at })
  }
  for (const access_token of opened.map((grant) => grant?.access_token))
    if (access_token !== undefined && !debts.some((debt) => debt.access_token === access_token))
      debts.push({ access_token })
  const { family = '', generation = 0 } = tombstone ?? {}
  return debts.map((debt) => sealDebt(deps, credential, family, generation, debt))
}

/** The tokens of a set that Redis never took. */
export function debtOfWrite(deps: ActivityDeps, credential: string, { grant, access }: TokenSetWrite): Debt {
  const refresh = grant === undefined ? undefined : readable(() => openGrant<Grant>(deps.keyring, grant, credential))
  const document = access === undefined ? undefined : readable(() => openValue(deps, access.value, credential))
  return {
    ...(refresh?.refresh_token === undefined ? {} : { refresh_token: refresh.refresh_token }),
    ...(document === undefined ? {} : { access_token: document.access_token, expires_at: document.expires_at }),
  }
}

export const sealDebt = (deps: ActivityDeps, credential: string, family: string, generation: number, debt: Debt) =>
  sealGrant(deps.keyring, debt, { cred: credential, family, gen: generation })

const openWrite = ({ keyring }: ActivityDeps, sealed: string | undefined, credential: string) =>
  sealed === undefined ? undefined : openGrant<TokenSetWrite>(keyring, sealed, credential)

/** Sealed for readers, or plain where the operator chose so. */
function openValue({ keyring }: ActivityDeps, value: string, credential: string): AccessDocument {
  return value.startsWith('{') ? (JSON.parse(value) as AccessDocument) : openAccess(keyring, value, credential)
}

/** What no key opens any more cannot be revoked by us; it dies of age, and the rest is revoked. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
