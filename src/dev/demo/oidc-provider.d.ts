/** What the demo uses of oidc-provider, which ships no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  /** The part of Koa's context that the demo reads. */
  export interface Context {
    path: string
    status: number
    body: unknown
    res: ServerResponse
    oidc?: { params?: Record<string, string | undefined>; client?: { clientId: string } }
  }

  export interface Adapter {
    upsert(id: string, payload: Record<string, unknown>, expiresInSeconds?: number): Promise<void>
    find(id: string): Promise<Record<string, unknown> | undefined>
    findByUserCode(code: string): Promise<undefined>
    findByUid(uid: string): Promise<undefined>
    destroy(id: string): Promise<void>
    revokeByGrantId(grantId: string): Promise<void>
    consume(id: string): Promise<void>
  }

  interface Token {
    save(): Promise<string>
  }

  interface Grant extends Token {
    addOIDCScope(scope: string): void
  }

  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>)
    Client: { find(id: string): Promise<object | undefined> }
    Grant: new (
      properties: Record<string, unknown>,
    ) => Grant
    RefreshToken: new (
      properties: Record<string, unknown>,
    ) => Token
    AccessToken: new (
      properties: Record<string, unknown>,
    ) => Token
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void
    on(event: 'server_error', listener: (context: Context, error: Error) => void): void
    callback(): (request: IncomingMessage, response: ServerResponse) => void
  }

  export default Provider
}
