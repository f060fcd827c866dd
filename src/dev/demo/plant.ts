import { setTimeout as sleep } from 'node:timers/promises'
import { PerennialError } from '../../errors.ts'
import type { DemoAdmin, TokenResponse } from './admin.ts'
import { demoCredential, demoSubjects, serviceCredential } from './orchard.ts'

/** What planting needs of the client API. */
export interface CredentialClient {
  describe(id: string): Promise<unknown>
  connect(id: string, options: { tokenResponse: TokenResponse }): Promise<unknown>
  start(id: string): Promise<unknown>
}

const atOnce = 8
const tries = 5

/** The ids of all credentials of a demo with so many users. */
export const demoCredentials = (users: number): string[] => [
  ...demoSubjects(users).map(demoCredential),
  serviceCredential,
]

/**
 * Begins the demo's credentials; those that live already are left alone. One that cannot be begun is told of and does
 * not keep the others. Leaves off when `end` is aborted; what is missing is begun at the next start.
 */
export async function plantCredentials(
  client: CredentialClient,
  admin: Pick<DemoAdmin, 'mintGrant'>,
  users: number,
  say: (line: string) => void,
  end: AbortSignal,
): Promise<void> {
  const begin = async (subject: string) => {
    const tokenResponse = await admin.mintGrant(subject, 'orchard')
    await client.connect(demoCredential(subject), { tokenResponse })
  }
  const plots: [string, () => Promise<unknown>][] = demoSubjects(users).map((subject) => [
    demoCredential(subject),
    () => begin(subject),
  ])
  plots.push([serviceCredential, () => client.start(serviceCredential)])
  const next = plots.values()
  const gardener = async () => {
    for (const [id, plant] of next) await plantOne(client, id, plant, say, end)
  }
  await Promise.all(Array.from({ length: atOnce }, gardener))
}

async function plantOne(
  client: CredentialClient,
  id: string,
  plant: () => Promise<unknown>,
  say: (line: string) => void,
  end: AbortSignal,
): Promise<void> {
  for (let attempt = 1; !end.aborted; attempt++) {
    try {
      if ((await client.describe(id)) === undefined) await plant()
      return
    } catch (error) {
      if (!(error instanceof PerennialError)) throw error
      if (attempt === tries) return say(`${id} could not be begun: ${error.message}`)
      await sleep(1_000, undefined, { signal: end }).catch(() => {})
    }
  }
}
