import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealingKey } from '../../packages/reader/src/sealed.ts'
import { type ActivityDeps, createActivities, type Keyring } from '../../src/activities/index.ts'
import { makeSeed } from '../../src/client/seed.ts'
import { type ClientConfig, type Config, loadConfig } from '../../src/config.ts'
import { createTokenEndpoint, type TokenEndpoint } from '../../src/oauth/index.ts'
import { layered } from '../../src/providers/inheritance.ts'
import { usedParameters } from '../../src/providers/parameters.ts'
import type { Behaviour, ProviderEntry } from '../../src/providers/schema.ts'
import { newSealingKey } from '../../src/store/sealing.ts'
import type { Refreshed, RefreshInput } from '../../src/workflows/messages.ts'
import type { Setting } from '../activities/setting.ts'
import type { Consent } from '../emulators/consent.ts'
import type { Emulator } from '../emulators/emulator.ts'
import type { Profile } from '../emulators/profile.ts'
import { type Emulators, type Opened, startEmulators } from '../emulators/server.ts'
import type { Entry } from './entries.ts'

const keys = { grant: newSealingKey(), reader: newSealingKey() }
export const keyring: Keyring = { grant: [sealingKey(keys.grant)], reader: [sealingKey(keys.reader)] }

/** Where entries are tried: a Redis, the vendors behind one port, the real way out. */
export interface Hall {
  setting: Setting
  emulators: Emulators
  tokenEndpoint: TokenEndpoint
  close(): Promise<void>
}

export async function openHall(setting: Setting): Promise<Hall> {
  const emulators = await startEmulators()
  const tokenEndpoint = createTokenEndpoint()
  return {
    setting,
    emulators,
    tokenEndpoint,
    async close() {
      await tokenEndpoint.close()
      await emulators.close()
    },
  }
}

/** One entry, configured as a user would, against the vendor that it describes. */
export class Stand {
  readonly hall: Hall
  readonly profile: Profile
  readonly opened: Opened
  readonly emulator: Emulator
  readonly config: Config
  readonly client: ClientConfig
  readonly #own: Record<string, string>
  /** how far the vendor's clock is ahead of ours */
  aheadMs = 0
  #begun = 0

  private constructor(hall: Hall, opened: Opened, { config, client, own }: Configured) {
    this.hall = hall
    this.opened = opened
    this.emulator = opened.emulator
    this.profile = opened.emulator.profile
    this.config = config
    this.client = client
    this.#own = own
  }

  /** @throws what the configuration has against the entry */
  static async of(hall: Hall, entry: Pick<Entry, 'entry' | 'variant'>, profile: Profile): Promise<Stand> {
    const ahead = { ms: () => 0 }
    const opened = hall.emulators.open(profile, () => Date.now() + ahead.ms())
    const stand = new Stand(hall, opened, await configured(opened, entry))
    ahead.ms = () => stand.aheadMs
    return stand
  }

  /** A credential of its own, at a provider and client of their own: what one is refused holds for no other. */
  async begin(): Promise<Life> {
    const name = `app-${this.opened.serial}-${++this.#begun}`
    const { provider } = this.client
    const client = { ...this.client, name, provider: { ...provider, name: `${provider.name}-${this.#begun}` } }
    const clients = new Map([[name, client]])
    const config = { ...this.config, clients }
    const deps = { ...this.hall.setting.deps, tokenEndpoint: this.hall.tokenEndpoint, keyring, config }
    return await Life.begin(this, { ...deps, caller: () => this.hall.setting.caller }, client, this.#own)
  }
}

/** A credential from its beginning, turn by turn, as the workflow drives it. */
export class Life {
  readonly stand: Stand
  readonly deps: ActivityDeps
  readonly activities: ReturnType<typeof createActivities>
  readonly client: ClientConfig
  readonly credential: string
  readonly consent: Consent | undefined
  readonly own: Record<string, string>
  /** what the user handed over */
  response: object = {}
  latest: Refreshed
  /** when that was, by the vendor's clock */
  latestAtMs: number

  private constructor(stand: Stand, deps: ActivityDeps, client: ClientConfig, own: Record<string, string>) {
    this.stand = stand
    this.deps = deps
    this.activities = createActivities(deps)
    this.client = client
    this.own = own
    this.credential = `acme/${client.name}/${stand.emulator.profile.name.replaceAll('/', '~')}~${stand.opened.serial}`
    const { grant } = stand.profile
    const person = grant.kind === 'refresh_token' || grant.kind === 'exchange' || grant.kind === 'nothing'
    this.consent = person ? stand.emulator.consent() : undefined
    this.latest = { family: '', generation: 0, obtainedAtMs: Date.now(), dueInMs: 0 }
    this.latestAtMs = stand.emulator.now()
  }

  static async begin(stand: Stand, deps: ActivityDeps, client: ClientConfig, own: Record<string, string>) {
    const life = new Life(stand, deps, client, own)
    await life.#claim()
    return life
  }

  /** What `perennial start` and the first turn of the workflow do. */
  async #claim(): Promise<void> {
    const { config } = this.deps
    if (this.consent !== undefined) this.response = tokenResponseOf(this.consent, this.stand)
    const given = this.consent === undefined ? {} : { tokenResponse: this.response }
    const seed = makeSeed(config, this.credential, given)
    const { accessLivesMs, refreshLivesMs } = seed
    const claimed = await this.activities.claim({
      credential: this.credential,
      kind: this.client.grant,
      seed,
      ...(accessLivesMs === undefined ? {} : { accessLivesMs }),
      ...(refreshLivesMs === undefined ? {} : { refreshLivesMs }),
      atLeastGeneration: 0,
      parameters: this.own,
      seeds: [],
    })
    if (!('generation' in claimed)) throw new Error(`the claim says ${JSON.stringify(claimed)}`)
    this.#tookOver(claimed)
  }

  #tookOver(refreshed: Refreshed): void {
    const { grant = this.latest.grant } = refreshed
    this.latest = { ...refreshed, ...(grant === undefined ? {} : { grant }) }
    this.latestAtMs = this.stand.emulator.now()
  }

  /** The vendor's clock goes on to when the next refresh is due. Where keys sign, both clocks have to stand together. */
  untilDue(): void {
    if (!signs(this.stand.profile)) this.stand.aheadMs += this.latest.dueInMs
  }

  input(): RefreshInput {
    const { family, generation, grant, refreshLivesMs, refreshEndsInMs, seeds = [] } = this.latest
    const sinceMs = this.stand.emulator.now() - this.latestAtMs
    const at = (inMs: number) => Date.now() + inMs - sinceMs
    return {
      credential: this.credential,
      kind: this.client.grant,
      family,
      generation,
      seeds,
      parameters: this.own,
      exchangeTimeoutMs: 10_000,
      misconfiguredEveryMs: 300_000,
      ...(grant === undefined ? {} : { grant }),
      ...(refreshLivesMs === undefined ? {} : { refreshExpiresAtMs: at(refreshLivesMs) }),
      ...(refreshEndsInMs === undefined ? {} : { refreshEndsAtMs: at(refreshEndsInMs) }),
    }
  }

  /** One attempt, which is not repeated. */
  async refresh(): Promise<Refreshed> {
    const refreshed = await this.activities.refresh(this.input())
    this.#tookOver(refreshed)
    return this.latest
  }
}

function tokenResponseOf({ newest }: Consent, { profile, emulator }: Stand): object {
  const shaped = profile.codeExchange?.({
    ...emulator.minted(newest, { parameters: {}, headers: {} }),
    refresh: newest.refresh,
  })
  if (shaped !== undefined) return shaped
  return {
    access_token: newest.access,
    ...(profile.grant.kind === 'refresh_token' && { refresh_token: newest.refresh }),
    ...(profile.expiry !== 'never' && { expires_in: Math.round((newest.accessDiesAtMs - emulator.now()) / 1000) }),
  }
}

export const signs = ({ client, grant }: Profile): boolean =>
  client.by === 'signed assertion' || client.by === 'signed secret' || grant.kind === 'assertion'

interface Configured {
  config: Config
  client: ClientConfig
  /** parameters that a credential brings */
  own: Record<string, string>
}

/** perennial.yaml, with the entry under a name of its own and its addresses leading here. */
async function configured(opened: Opened, { entry, variant }: Pick<Entry, 'entry' | 'variant'>): Promise<Configured> {
  const provider = `emulated-${opened.serial}`
  const local = rewritten(entry, opened)
  const set = variant === undefined ? undefined : local.variants?.[variant]?.set
  const behaviour: Behaviour = set === undefined ? local : layered<Behaviour>(local, set)
  const { client, own } = registered(opened.emulator, behaviour)
  const declared = { ...client, provider, ...(variant === undefined ? {} : { variant }) }
  const document = {
    redis: { url: 'redis://127.0.0.1:6379' },
    keys: { grant: [keys.grant], reader: [keys.reader] },
    clients: { app: declared },
    providers: { [provider]: local },
  }
  const dir = await mkdtemp(join(tmpdir(), 'perennial-entry-'))
  try {
    const path = join(dir, 'perennial.yaml')
    await writeFile(path, JSON.stringify(document))
    const config = await loadConfig(path, { allowLiterals: true })
    const app = config.clients.get('app')
    if (app === undefined) throw new Error('the client is not there')
    return { config, client: app, own }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** What a user writes and gives: the registration, and a value for every placeholder that the entry asks for. */
function registered({ profile, registration, valuesOf }: Emulator, behaviour: Behaviour) {
  const { clientId, clientSecret, privateKeyPem, keyId, certificate } = registration
  const rules = behaviour.parameters ?? {}
  const fromUser = valuesOf(profile.requiresOfUser)
  const known: Record<string, string> = {
    ...spellings(registration),
    ...fromUser,
    ...valuesOf(profile.clientAsks),
    ...profile.account,
  }
  const used = usedParameters(behaviour)
  const value = (name: string) => known[name] ?? rules[name]?.default ?? rules[name]?.example ?? 'unknown'
  const pick = (names: string[]) => Object.fromEntries(names.map((name) => [name, value(name)]))
  const ofClient = used.filter((name) => rules[name]?.setBy === 'client')
  const request = Object.entries(valuesOf(profile.clientAsks)).filter(([name]) => !used.includes(name))
  const client = {
    clientId,
    ...(wantsSecret(profile) && { clientSecrets: [clientSecret] }),
    ...(signs(profile) && { privateKey: privateKeyPem, keyId }),
    ...(profile.client.by === 'certificate' && { privateKey: privateKeyPem }),
    ...(certificate !== undefined && { certificate }),
    parameters: pick(ofClient),
    request: Object.fromEntries(request),
  }
  return { client, own: pick(used.filter((name) => !ofClient.includes(name))) }
}

/** What entries call the parts of a registration. */
const spellings = ({ redirectUri, subject }: Emulator['registration']) => ({
  redirect_uri: redirectUri,
  origin: new URL(redirectUri).origin,
  user: subject,
  subject,
})

/** What a vendor issued is needed where it asks for it: at the one door or at the other. */
export const wantsSecret = ({ client, revocation }: Profile) =>
  ['basic', 'post', 'hash', 'secret as user name'].includes(client.by) ||
  [client, revocation?.client].some((one) => one?.by === 'header' && one.value.includes('{client_secret}'))

/** The vendor's addresses, found on loopback; everything else of the entry stays. */
function rewritten(entry: ProviderEntry, { at, emulator }: Opened): ProviderEntry {
  const { extends: _, variants, ...own } = entry
  const local = <T extends Behaviour>(behaviour: T): T => {
    const endpoints = (['tokenEndpoint', 'revocationEndpoint', 'introspectionEndpoint'] as const).flatMap((name) => {
      const url = behaviour[name]
      return url === undefined ? [] : [[name, at(url)]]
    })
    const lookup = behaviour.expiryLookup?.endpoint
    return {
      ...behaviour,
      ...Object.fromEntries(endpoints),
      ...(lookup !== undefined && { expiryLookup: { ...behaviour.expiryLookup, endpoint: at(lookup) } }),
    }
  }
  const set = Object.entries(variants ?? {}).map(([name, { when, set }]) => [name, { when, set: local(set) }])
  return {
    ...(emulator.profile.addressIsTheUsers && { tokenEndpoint: at(emulator.profile.token.url) }),
    ...local(own),
    ...(variants !== undefined && { variants: Object.fromEntries(set) }),
  }
}
