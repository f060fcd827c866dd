import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FamilyView } from './grants.ts'
import type { Alive, Verbs } from './protocol.ts'
import type { Resource } from './resource.ts'
import type { Service } from './service.ts'

/** The verbs over a running service. */
export function adminOf({ authorization, faults, log }: Service, resource: Resource): Verbs {
  const { grants } = authorization
  const idOf = (token: string) => authorization.idOf(token) ?? ''
  const familiesOf = (user: string | null) => grants.families(user === null ? {} : { user }, Date.now())
  const alive = ({ id, user, client, accepted, living }: FamilyView): Alive => ({
    family: id,
    user,
    client,
    accepted: accepted.map((token) => authorization.tokenOf(token)),
    ...(living !== undefined && { living: authorization.tokenOf(living) }),
  })
  return {
    consent: (user, client) => authorization.tokenResponse(grants.consent(user, client, Date.now())),
    endConsent: (user, client) => grants.endConsent(user, client ?? undefined, Date.now()),
    setSecrets: (client, secrets) => done(authorization.setSecrets(client, secrets)),
    addFaults: (rules) => done(faults.add(rules, Date.now())),
    clearFaults: () => done(faults.clear()),
    followPlan: (plan) => done(faults.follow(plan ?? undefined)),
    faultsMade: () => faults.made(),
    alive: (user) =>
      familiesOf(user)
        .filter(({ ended }) => ended === undefined)
        .map(alive),
    accepts: (token) => grants.accepts(idOf(token), Date.now()),
    accessRemainingMs: (token) => grants.accessRemainingMs(idOf(token), Date.now()),
    families: familiesOf,
    requests: (filter) => log.select(filter),
    rates: () => log.rates(),
    visits: () => resource.visits,
  }
}

const done = (_: unknown): null => null

/** Does what an admin asks, if it is one. */
export async function administer(
  request: IncomingMessage,
  response: ServerResponse,
  verbs: Verbs,
  secret: string,
): Promise<void> {
  const say = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const verb = (request.url ?? '').slice(1)
  if (!isAdmin(request, secret)) say(401, { error: 'the admin secret is missing or wrong' })
  else if (!isVerb(verb, verbs)) say(404, { error: `the referee has no verb ${verb}` })
  else {
    try {
      say(200, call(verbs, verb, JSON.parse(Buffer.concat(chunks).toString())))
    } catch (error) {
      say(400, { error: error instanceof Error ? error.message : String(error) })
    }
  }
}

function isAdmin(request: IncomingMessage, secret: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${secret}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

const isVerb = (name: string, verbs: Verbs): name is keyof Verbs => Object.hasOwn(verbs, name)

/** The caller is our own typed client: that the arguments fit the verb is its compiler's word. */
function call(verbs: Verbs, verb: keyof Verbs, args: unknown[]): unknown {
  return Reflect.apply(verbs[verb], verbs, args)
}
