/** as long as what usual providers give: access tokens are often JWTs, refresh tokens seldom */
const accessPadding = 'x'.repeat(700)
const refreshPadding = 'x'.repeat(64)

export const tokenSeconds = 2

/** A token response: its refresh token names its line and how many of this line were used before it. */
export const issue = (line: string, use: number) => ({
  access_token: `access.${line}.${use}.${accessPadding}`,
  refresh_token: `${line}.${use}.${refreshPadding}`,
  token_type: 'Bearer',
  expires_in: tokenSeconds,
})

/** What a refresh token says of itself. */
export function spend(refreshToken: string): { line: string; use: number } {
  const [line = '', use] = refreshToken.split('.')
  return { line, use: Number(use) }
}
