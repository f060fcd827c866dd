import type { Command } from 'commander'
import type { CredentialView, Perennial } from '../client.ts'
import { PerennialError } from '../errors.ts'
import { credentialArgument, jsonFlag } from './arguments.ts'
import { confirmed, requireConsent, yesFlag } from './consent.ts'
import { partlyDone, usageError } from './exit.ts'
import { print, printable, printJson, say, styled } from './output.ts'
import { withPerennial } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

interface RevokeOptions extends TargetOptions {
  tenant?: string
  client?: string
  yes?: boolean
  json?: boolean
}

/** Bulk revocations under way at a time. */
const atOnce = 10

export function registerRevoke(program: Command): void {
  withTargetOptions(program.command('revoke'))
    .description('fence, forget and revoke at the provider: one credential, or all of a tenant or client')
    .argument('[id]', 'credential: tenant/client/subject', credentialArgument)
    .option('--tenant <tenant>', 'all of this tenant')
    .option('--client <client>', 'all of this client')
    .option(...yesFlag)
    .option(...jsonFlag)
    .action(async (id: string | undefined, options: RevokeOptions) => {
      const bulk = options.tenant !== undefined || options.client !== undefined
      if (bulk === (id !== undefined)) throw usageError('revoke takes either an ID, or --tenant and --client')
      if (id === undefined) requireConsent(options, `this revokes every credential of ${filterText(options)}`)
      await withPerennial(options, (perennial) =>
        id === undefined ? revokeAll(perennial, options) : revokeOne(perennial, id, options),
      )
    })
}

async function revokeOne(perennial: Perennial, id: string, options: RevokeOptions): Promise<void> {
  const { fenced, accepted } = await perennial.revoke(id)
  printOutcome({ credential: id, fenced }, options)
  if (!fenced) throw partlyDone(fencePending(id))
  if (!accepted) throw partlyDone(providerPending(id))
}

const fencePending = (what: string) =>
  `fence pending: Redis did not answer, so readers may still see the token of ${what} for a while; the workflow fences as soon as Redis answers`

const providerPending = (what: string) =>
  `fenced: readers have lost the token of ${what}. Temporal did not answer; the provider is asked to revoke once it does, run the same command again then`

async function revokeAll(perennial: Perennial, options: RevokeOptions): Promise<void> {
  const credentials = await matching(perennial, options)
  if (credentials.length === 0) return say(`nothing to revoke: no living credential of ${filterText(options)}`)
  const count = `${credentials.length} ${credentials.length === 1 ? 'credential' : 'credentials'}`
  if (!options.yes && !(await confirmed(`Revoke ${count} of ${filterText(options)}?`)))
    throw new PerennialError('declined', 'nothing was revoked')
  const tally = { fenced: 0, pending: 0, failed: 0 }
  await eachAtOnce(atOnce, credentials, async (credential) => {
    const outcome = await attempt(perennial, credential)
    printOutcome(outcome, options)
    if ('error' in outcome) tally.failed += 1
    else if (outcome.fenced) tally.fenced += 1
    else tally.pending += 1
  })
  say(`${tally.fenced} revoked, ${tally.pending} with the fence pending, ${tally.failed} failed`)
  if (tally.failed === credentials.length) throw new PerennialError('not_revoked', 'no credential was revoked')
  if (tally.failed > 0) throw partlyDone('some credentials were not revoked; run the same command again')
  if (tally.pending > 0)
    throw partlyDone('Redis or Temporal did not answer for some credentials; run the same command again')
}

async function matching(perennial: Perennial, { tenant, client }: RevokeOptions): Promise<string[]> {
  const filter = { ...(tenant === undefined ? {} : { tenant }), ...(client === undefined ? {} : { client }) }
  const living: CredentialView[] = []
  for await (const view of perennial.list(filter)) if (view.status !== 'revoked') living.push(view)
  return living.map(({ credential }) => credential)
}

type Outcome = { credential: string; fenced: boolean } | { credential: string; error: string }

async function attempt(perennial: Perennial, credential: string): Promise<Outcome> {
  try {
    const { fenced, accepted } = await perennial.revoke(credential)
    return { credential, fenced: fenced && accepted }
  } catch (error) {
    if (!(error instanceof PerennialError)) throw error
    return { credential, error: error.message }
  }
}

function printOutcome(outcome: Outcome, { json }: RevokeOptions): void {
  if (json) printJson(outcome)
  else print(`${printable(outcome.credential)}  ${outcomeText(outcome)}`)
}

function outcomeText(outcome: Outcome): string {
  if ('error' in outcome) return styled('red', outcome.error)
  return outcome.fenced ? 'revoked' : styled('yellow', 'fence pending')
}

const filterText = ({ tenant, client }: { tenant?: string | undefined; client?: string | undefined }) =>
  [tenant === undefined ? [] : [`tenant ${tenant}`], client === undefined ? [] : [`client ${client}`]].flat().join(', ')

async function eachAtOnce<T>(width: number, items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const lane = async () => {
    for (const item of waiting) await run(item)
  }
  await Promise.all(Array.from({ length: width }, lane))
}
