import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authorization, AuthorizationRequest } from './authorization.ts'
import { readClaim } from './clients.ts'
import { Connection } from './connection.ts'
import type { Chosen, FaultBook } from './fault-book.ts'
import { alter, cut, type Endpoint, echo, type FakeAnswer, type Fault } from './faults.ts'
import type { RequestLog, RequestRecord } from './request-log.ts'

/** What serves the public port. */
export interface Service {
  authorization: Authorization
  faults: FaultBook
  log: RequestLog
}

const largestBody = 64 * 1024
const endpoints: Record<string, Endpoint> = { '/token': 'token', '/revoke': 'revoke' }

/** Serves one request, faults included, and writes down what became of it. */
export async function serve(request: IncomingMessage, service: Service): Promise<void> {
  const connection = new Connection(request.socket)
  const endpoint = request.method === 'POST' ? endpoints[request.url ?? ''] : undefined
  if (endpoint === undefined) return connection.answer({ status: 404, body: 'POST /token or POST /revoke' })
  const body = await readBody(request)
  if (body === undefined) return connection.drop()
  const { log, faults, authorization } = service
  const asked = { authorization: request.headers.authorization ?? '', form: new URLSearchParams(body) }
  const record = log.open(endpoint, Date.now())
  log.identify(record, authorization.whoAsks(asked))
  const chosen = faults.choose({ ...record, endpoint }, record.atMs)
  if (chosen !== undefined) record.fault = chosen.name
  const closed = connection.closed.then((ending) => {
    Object.assign(record, ending)
    record.closedMs = Date.now()
    if (ending.delivery === 'complete' && record.minted !== undefined && record.carried.access)
      authorization.grants.deliver(record.minted.access)
  })
  await answer({ asked, body, connection, record, service, fault: chosen?.fault ?? { kind: 'slow' } })
  log.settle(record)
  await closed
}

interface Exchange {
  asked: AuthorizationRequest
  body: string
  connection: Connection
  record: RequestRecord
  service: Service
  fault: Chosen['fault']
}

/** Before the commit, the commit, after it: where each fault strikes. */
async function answer(exchange: Exchange): Promise<void> {
  const { connection, fault } = exchange
  if (fault.delayBeforeCommitMs !== undefined) await sleep(fault.delayBeforeCommitMs)
  if (fault.kind === 'drop_before_commit') return connection.drop()
  if (fault.kind === 'black_hole' && !fault.commit) return swallow(connection, fault.forMs)
  if (fault.kind === 'answer' && !fault.commit) return finish(exchange, faked(exchange, fault))
  const own = commit(exchange)
  if (fault.kind === 'black_hole') return swallow(connection, fault.forMs)
  if (fault.holdAnswerMs !== undefined) await untilLeft(connection, fault.holdAnswerMs)
  if (fault.kind === 'drop_after_commit') return connection.drop()
  if (fault.kind === 'answer') return finish(exchange, faked(exchange, fault))
  if (fault.kind === 'truncate') return finish(exchange, own, cut(own.body, fault.at), fault.announced)
  if (fault.kind === 'alter' && own.status === 200) return finish(exchange, { ...own, body: alter(own.body, fault) })
  finish(exchange, own)
}

function commit({ asked, record, service, fault }: Exchange): FakeAnswer {
  const { authorization } = service
  if (record.endpoint === 'token') return authorization.exchange(asked, record, Date.now())
  return authorization.revoke(asked, record, Date.now(), fault.kind === 'revokes_nothing')
}

function finish(exchange: Exchange, whole: FakeAnswer, sent = whole.body, announced = true): void {
  const { connection, record, service } = exchange
  if (!connection.isOpen) return
  connection.answer(whole, sent, announced)
  record.status = whole.status
  record.answeredMs = Date.now()
  if (record.minted === undefined) return
  const carries = (member: string, id: string | undefined) =>
    id !== undefined && sent.includes(`"${member}":"${service.authorization.tokenOf(id)}"`)
  record.carried = {
    access: carries('access_token', record.minted.access),
    refresh: carries('refresh_token', record.minted.refresh),
  }
}

const faked = ({ asked, body }: Exchange, fault: Extract<Fault, { kind: 'answer' }>): FakeAnswer => {
  const claim = readClaim(asked.authorization, asked.form)
  return echo(fault.answer, {
    refreshToken: asked.form.get('refresh_token') ?? asked.form.get('token') ?? '',
    clientSecret: typeof claim === 'object' ? claim.secret : '',
    authorization: asked.authorization,
    body,
  })
}

/** Never answers: over when the time is, or when the client has left. */
async function swallow(connection: Connection, forMs: number): Promise<void> {
  await untilLeft(connection, forMs)
  connection.drop()
}

/** Waits, but no longer than the client does: what was committed and has nobody to hear of it is over. */
async function untilLeft(connection: Connection, ms: number): Promise<void> {
  const over = new AbortController()
  const timeUp = sleep(ms, undefined, { signal: over.signal }).catch(() => {})
  await Promise.race([connection.closed, timeUp])
  over.abort()
}

/** Absent when the client left in the middle of it, or sends too much. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request) {
      bytes += chunk.length
      if (bytes > largestBody) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks).toString()
}
