/**
 * The test vectors of docs/reading.md: `node scripts/make-vectors.ts` writes docs/reading-vectors.json. They come out the same
 * each time, so keys and nonces are made from texts: none of them is for use.
 */
import { createCipheriv, createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accessKey, changedChannel, rejectedChannel, statusKey } from '../packages/reader/src/format.ts'
import { readerKey, readerKeyText, type SealingKey, sealingKey } from '../packages/reader/src/sealed.ts'

const id = 'acme/google-main/alice'
const bytes = (text: string, length: number) => createHash('sha256').update(text).digest().subarray(0, length)
const masterText = bytes('master of the vectors', 32).toString('base64url')
const master = sealingKey(masterText)
const [acme, globex] = [readerKey(master, 'acme'), readerKey(master, 'globex')]
const nextAcme = readerKey(sealingKey(bytes('next master of the vectors', 32).toString('base64url')), 'acme')
const keys = [readerKeyText(acme)]

const document = (more: object = {}) => ({
  credential: id,
  family: 'f-one',
  generation: 42,
  access_token: 'at-42',
  token_type: 'Bearer',
  expires_at: '2099-01-01T00:00:00.000Z',
  ...more,
})
const json = (value: object) => JSON.stringify(value)

interface Sealing {
  key?: SealingKey
  header?: Record<string, unknown>
  text?: string
  nonceBytes?: number
}

/** Five parts of a JWE; a header that is changed here is changed before the value is sealed. */
function parts(name: string, { key = acme, header = {}, text = json(document()), nonceBytes = 12 }: Sealing = {}) {
  const pcx = { cred: id, family: 'f-one', gen: 42 }
  const whole = Object.entries({ alg: 'dir', enc: 'A256GCM', kid: key.kid, pcx, ...header })
  const protectedHeader = encode(json(Object.fromEntries(whole.filter(([, value]) => value !== null))))
  const nonce = bytes(name, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce).setAAD(Buffer.from(protectedHeader))
  const ciphertext = Buffer.concat([cipher.update(text), cipher.final()])
  return [protectedHeader, '', ...[nonce, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'))]
}

const encode = (text: string) => Buffer.from(text).toString('base64url')
const sealed = (name: string, how?: Sealing) => parts(name, how).join('.')
const headerOf = (of: Record<string, unknown>) =>
  encode(json({ alg: 'dir', enc: 'A256GCM', kid: acme.kid, pcx: { cred: id, family: 'f-one', gen: 42 }, ...of }))
/** Another character in the middle of a part. */
const changed = (part = '') => {
  const at = Math.floor(part.length / 2)
  return `${part.slice(0, at)}${part[at] === 'A' ? 'B' : 'A'}${part.slice(at + 1)}`
}

const status = (of: string, more: object = {}) =>
  json({ status: of, since: '2026-01-02T03:04:05.000Z', generation: 42, ...more })

export interface Vector {
  name: string
  credential: string
  /** null: tokens are stored plain, and the reader has no key */
  keys: string[] | null
  /** what the same reader has read before */
  before?: Stored
  stored: Stored
  min_remaining_ms?: number
  expect: Expected
}

export interface Stored {
  access?: string
  status?: string
}

export type Expected =
  | { access_token: string; generation: number; family: string; token_type: string; expires_at: string }
  | { error: string; reason?: string; since?: string }

const good = (more: object = {}): Expected => {
  const { access_token, generation, family, token_type, expires_at } = document(more)
  return { access_token, generation, family, token_type, expires_at }
}
const error = (code: string, more: { reason?: string; since?: string } = {}): Expected => ({ error: code, ...more })

const vector = (name: string, stored: Stored, expect: Expected, more: Partial<Vector> = {}): Vector => ({
  name,
  credential: id,
  keys,
  ...more,
  stored,
  expect,
})
const value = (name: string, access: string, expect: Expected, more: Partial<Vector> = {}) =>
  vector(name, { access }, expect, more)
const plain = (name: string, of: object | string, expect: Expected, more: Partial<Vector> = {}) =>
  value(name, typeof of === 'string' ? of : json(of), expect, { keys: null, ...more })

/** A generation of a family, sealed as such. */
const generation = (gen: number, family = 'f-one') =>
  sealed(`generation ${gen} of ${family}`, {
    header: { pcx: { cred: id, family, gen } },
    text: json(document({ generation: gen, family, access_token: `at-${gen}` })),
  })
const is = (gen: number, family = 'f-one') => good({ generation: gen, family, access_token: `at-${gen}` })

const tokens: Vector[] = [
  value('a sealed token', sealed('good'), good()),
  value('the key is found by its kid among several', sealed('next', { key: nextAcme }), good(), {
    keys: [...keys, readerKeyText(nextAcme)],
  }),
  value(
    'members that are not known are ignored',
    sealed('more', { header: { more: 1 }, text: json(document({ more: { a: 1 } })) }),
    good(),
  ),
  value(
    'every member that there may be',
    sealed('all', {
      text: json(
        document({ scope: 'a b', obtained_at: '2026-01-01T00:00:00.000Z', values: { a: 'b' }, dies_at_refresh: true }),
      ),
    }),
    good(),
  ),
  value(
    'characters of many scripts in the token',
    sealed('unicode', { text: json(document({ access_token: 'ключ-鍵-🔑-"\\' })) }),
    good({ access_token: 'ключ-鍵-🔑-"\\' }),
  ),
  plain('a plain token', document(), good()),
  plain(
    'a subject that is percent-encoded',
    document({ credential: 'acme/google-main/a%2Fb@x.example' }),
    good({ credential: 'acme/google-main/a%2Fb@x.example' }),
    { credential: 'acme/google-main/a%2Fb@x.example' },
  ),
  vector(
    'a valid token, whatever the status is',
    { access: sealed('good'), status: status('reconnect_required', { reason: 'invalid_grant' }) },
    good(),
  ),
  vector('a valid token beside a status that cannot be read', { access: sealed('good'), status: 'nonsense' }, good()),
]

const generations: Vector[] = [
  value('a newer generation', generation(43), is(43), { before: { access: generation(42) } }),
  value('the same generation again', generation(42), is(42), { before: { access: generation(42) } }),
  value('another family begins lower', generation(7, 'f-two'), is(7, 'f-two'), { before: { access: generation(42) } }),
  value('rolled back: an older generation was put back', generation(41), error('rolled_back'), {
    before: { access: generation(42) },
  }),
]

const badKeys: Vector[] = [
  value('unknown kid', sealed('next', { key: nextAcme }), error('unknown_key')),
  value(
    "swapped: the value of another tenant, under its tenant's key",
    sealed('globex', { key: globex }),
    error('unknown_key'),
  ),
  value('sealed, and the reader has no key', sealed('good'), error('unknown_key'), { keys: null }),
]

const [header = '', , nonce = '', ciphertext = '', tag = ''] = parts('good')
const otherContext = { cred: 'acme/google-main/bob', family: 'f-one', gen: 42 }
const tampered: Vector[] = [
  value('tampered: ciphertext', [header, '', nonce, changed(ciphertext), tag].join('.'), error('tampered')),
  value('tampered: tag', [header, '', nonce, ciphertext, changed(tag)].join('.'), error('tampered')),
  value('tampered: nonce', [header, '', changed(nonce), ciphertext, tag].join('.'), error('tampered')),
  value(
    'tampered: the generation in the header',
    [headerOf({ pcx: { cred: id, family: 'f-one', gen: 43 } }), '', nonce, ciphertext, tag].join('.'),
    error('tampered'),
  ),
  value(
    "tampered: another credential's value with this one's name in the header",
    [header, '', ...parts('bob', { header: { pcx: otherContext } }).slice(2)].join('.'),
    error('tampered'),
  ),
  value(
    'swapped: the value of another credential of this tenant',
    sealed('bob', { header: { pcx: otherContext }, text: json(document({ credential: otherContext.cred })) }),
    error('other_credential'),
  ),
  value(
    'swapped inside: the document is of another credential',
    sealed('inside', { text: json(document({ credential: otherContext.cred })) }),
    error('other_credential'),
  ),
  plain('swapped, plain', document({ credential: 'globex/google-main/alice' }), error('other_credential')),
]

const malformedHeaders: Vector[] = (
  [
    ['another alg', { alg: 'A256KW' }],
    ['another enc', { enc: 'A128GCM' }],
    ['an extension that must be understood', { crit: ['exp'], exp: 1 }],
    ['compression', { zip: 'DEF' }],
    ['no kid', { kid: null }],
    ['no pcx', { pcx: null }],
    ['a pcx without a credential', { pcx: { family: 'f-one', gen: 42 } }],
    ['a generation that is no integer', { pcx: { cred: id, family: 'f-one', gen: 42.5 } }],
  ] as [string, Record<string, unknown>][]
).map(([what, of]) => value(`malformed header: ${what}`, sealed(what, { header: of }), error('malformed')))

const malformed: Vector[] = [
  value('truncated: the tag is shorter', sealed('good').slice(0, -4), error('malformed')),
  value('truncated: there is no tag', [header, '', nonce, ciphertext].join('.'), error('malformed')),
  value('truncated: in the header', header.slice(0, 20), error('malformed')),
  value('six parts', `${sealed('good')}.${tag}`, error('malformed')),
  value('an encrypted key', [header, 'AAAA', nonce, ciphertext, tag].join('.'), error('malformed')),
  value('a nonce of 16 bytes', sealed('long nonce', { nonceBytes: 16 }), error('malformed')),
  value('base64 with padding', [header, '', nonce, ciphertext, `${tag}==`].join('.'), error('malformed')),
  value('a header that is no JSON', [encode('{alg:dir}'), '', nonce, ciphertext, tag].join('.'), error('malformed')),
  value('a header that is no object', [encode('"dir"'), '', nonce, ciphertext, tag].join('.'), error('malformed')),
  ...malformedHeaders,
  value('not sealed, and the reader has keys', json(document()), error('malformed')),
  value('sealed, no JSON', sealed('no json', { text: 'at-42' }), error('malformed')),
  value(
    'sealed as another generation',
    sealed('gen', { text: json(document({ generation: 43 })) }),
    error('malformed'),
  ),
  value(
    'sealed as another family',
    sealed('family', { text: json(document({ family: 'f-two' })) }),
    error('malformed'),
  ),
  plain('plain, broken JSON', '{"credential":', error('malformed')),
  ...Object.keys(document()).map((name) =>
    plain(`plain, without ${name}`, { ...document(), [name]: undefined }, error('malformed')),
  ),
  plain('plain, a token that is no text', document({ access_token: 42 }), error('malformed')),
  plain('plain, a generation that is text', document({ generation: '42' }), error('malformed')),
  plain('plain, a negative generation', document({ generation: -1 }), error('malformed')),
  plain('plain, an expiry that is no time', document({ expires_at: 'soon' }), error('malformed')),
]

const ended = '2020-01-01T00:00:00.000Z'
const times: Vector[] = [
  value(
    'expired',
    sealed('expired', { text: json(document({ expires_at: ended })) }),
    error('token_expired', { reason: 'expired', since: ended }),
  ),
  plain('expired, plain', document({ expires_at: ended }), error('token_expired', { reason: 'expired', since: ended })),
  value('valid for too short', sealed('good'), error('token_expired', { reason: 'min_remaining' }), {
    // 100 years
    min_remaining_ms: 3_153_600_000_000,
  }),
]

const since = '2026-01-02T03:04:05.000Z'
const untilThen = '2026-01-02T02:00:00.000Z'
const alone = (name: string, text: string, expect: Expected) => vector(name, { status: text }, expect)
const statusesAlone: Vector[] = [
  vector('nothing is stored', {}, error('credential_not_found')),
  alone('pending', status('pending'), error('token_pending', { reason: 'pending', since })),
  ...['retrying', 'expired', 'at_risk', 'misconfigured'].map((of) =>
    alone(
      `${of}, and no token`,
      status(of, { reason: 'http_503', accessExpiresAt: untilThen }),
      error('token_expired', { reason: 'http_503', since: untilThen }),
    ),
  ),
  alone('active, and no token', status('active'), error('token_expired', { reason: 'active', since })),
  alone(
    'reconnect_required',
    status('reconnect_required', { reason: 'invalid_grant' }),
    error('reconnect_required', { reason: 'invalid_grant', since }),
  ),
  alone(
    'revoked',
    status('revoked', { reason: 'revocation_pending', more: 1 }),
    error('credential_revoked', { reason: 'revocation_pending', since }),
  ),
  alone('a status that is no JSON', 'revoked', error('malformed')),
  alone('a status that is not known', status('well'), error('malformed')),
  alone('a status without a time', json({ status: 'pending', generation: 0 }), error('malformed')),
  alone('a status without a generation', json({ status: 'pending', since }), error('malformed')),
]

const named = (credential: string) => ({
  credential,
  access: accessKey(credential),
  status: statusKey(credential),
  changed: changedChannel(credential.split('/')[0] ?? ''),
  rejected: rejectedChannel(credential.split('/')[0] ?? ''),
})

export const vectors = {
  about: 'Test vectors of docs/reading.md; made by scripts/make-vectors.ts. The keys are for nothing else.',
  derivation: Object.entries({ acme, globex }).map(([tenant, key]) => ({
    master: masterText,
    tenant,
    key: readerKeyText(key),
    kid: key.kid,
  })),
  names: [id, 'a/b/c', 'acme.eu/client_1/a%2Fb@x.example|+=~-'].map(named),
  // invalid_argument, whatever is stored
  no_credentials: [
    '',
    'acme',
    'acme/google-main',
    'acme/google-main/a/b',
    'acme/google-main/a b',
    'acme//alice',
    'acme/{x}/alice',
    'acme/*/alice',
    `acme/google-main/${'a'.repeat(256)}`,
  ],
  vectors: [...tokens, ...generations, ...badKeys, ...tampered, ...malformed, ...times, ...statusesAlone],
}

/** A vector a line: short, and still to be read. */
export function vectorsText(): string {
  const { vectors: all, ...rest } = vectors
  const head = JSON.stringify(rest, undefined, 2).replace(/\n\}$/, '')
  return `${head},\n  "vectors": [\n${all.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]\n}\n`
}

export const vectorsFile = join(import.meta.dirname, '../docs/reading-vectors.json')

if (import.meta.main) {
  writeFileSync(vectorsFile, vectorsText())
  console.log(`${vectors.vectors.length} vectors in ${vectorsFile}`)
}
