import type { Pair } from '../emulators/consent.ts'

/** A user of the old system, and what it holds of them. */
export interface Moving {
  user: string
  pair: Pair
  /** when the old system thinks that the access token ends */
  expiresAtMs: number
}

const iso = (ms: number) => new Date(ms).toISOString()

/** As `aws ssm get-parameters-by-path` prints it: most accounts have a parameter for each token, every third one has JSON. */
export function parameterStore(users: readonly Moving[]): string {
  const day = 86_400_000
  const parameters = users.flatMap(({ user, pair, expiresAtMs }, i) => {
    const parameter = (name: string, value: string) => ({
      Name: `/keap/${name}`,
      Type: 'SecureString',
      Value: value,
      Version: 7,
      // version 1 of the AWS CLI prints a number
      LastModifiedDate: i % 2 === 0 ? iso(expiresAtMs - day) : (expiresAtMs - day) / 1000,
      ARN: `arn:aws:ssm:eu-west-1:123456789012:parameter/keap/${name}`,
      DataType: 'text',
    })
    const response = {
      access_token: pair.access,
      refresh_token: pair.refresh,
      expires_in: 86_400,
      token_type: 'bearer',
    }
    if (i % 3 === 2) return [parameter(user, JSON.stringify(response))]
    return [parameter(`${user}/access_token`, pair.access), parameter(`${user}/refresh_token`, pair.refresh)]
  })
  const setting = { Name: '/keap/client_id', Type: 'String', Value: 'abc', LastModifiedDate: iso(0) }
  return JSON.stringify({ Parameters: [setting, ...parameters] }, null, 4)
}

/** As psql prints a table: a quoted cell, a user without a refresh token, tokens without an end. */
export function csvTable(users: readonly Moving[]): string {
  const rows = users.map(({ user, pair, expiresAtMs }, i) => {
    if (i % 4 === 3) return `"${user}",,${pair.refresh},`
    return `${user},${pair.access},"${pair.refresh}",${Math.floor(expiresAtMs / 1000)}`
  })
  return `${['id,access_token,refresh_token,expires', ...rows, 'left,at,,1'].join('\n')}\n`
}

/** The same as mysql --batch prints it. */
export function tabTable(users: readonly Moving[]): string {
  const rows = users.map(({ user, pair, expiresAtMs }) =>
    [user, pair.access, pair.refresh, iso(expiresAtMs).replace('T', ' ').slice(0, 19)].join('\t'),
  )
  return `${['user_id\taccess_token\trefresh_token\texpires_at', ...rows, 'left\tat\tNULL\tNULL'].join('\n')}\n`
}

/** As mongoexport prints a collection, its dates in each of the forms that there are. */
export function mongoExport(users: readonly Moving[], form: 'lines' | 'array'): string {
  const documents = users.map(({ user, pair, expiresAtMs }, i) => {
    const dates = [
      { $date: iso(expiresAtMs) },
      { $date: { $numberLong: String(expiresAtMs) } },
      Math.floor(expiresAtMs / 1000),
      { $numberLong: String(expiresAtMs) },
    ]
    return JSON.stringify({
      _id: { $oid: `65a0${String(i).padStart(20, '0')}` },
      userId: user,
      access_token: pair.access,
      refresh_token: pair.refresh,
      expires_at: dates[i % dates.length],
    })
  })
  return form === 'lines' ? `${documents.join('\n')}\n` : `[${documents.join(',\n')}]\n`
}

/** One connection as a central store gives it out. */
export function connection(integration: string, organization: string, moving: Moving, config: object = {}): object {
  const { user, pair, expiresAtMs } = moving
  const { access, refresh } = pair
  return {
    id: 17,
    connection_id: user,
    provider_config_key: integration,
    provider: integration,
    end_user: { id: user, organization: { id: organization, display_name: null } },
    connection_config: config,
    metadata: null,
    credentials: {
      type: 'OAUTH2',
      access_token: access,
      refresh_token: refresh,
      expires_at: iso(expiresAtMs),
      raw: { access_token: access, refresh_token: refresh, expires_in: 3600 },
    },
  }
}
