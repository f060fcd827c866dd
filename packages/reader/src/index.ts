export { type BearerOptions, bearer, type Interceptor } from './bearer.ts'
export type { AccessToken } from './cache.ts'
export type { Node, RedisLocation, RedisOptions, SentinelOptions } from './connection.ts'
export type { Change, GetOptions, Reader, ReaderOptions, RejectOptions } from './contract.ts'
export {
  CredentialNotFound,
  CredentialRevoked,
  InvalidArgument,
  ReaderError,
  ReconnectRequired,
  StoreUnavailable,
  TokenExpired,
  TokenPending,
  type UnreadableCode,
  UnreadableValue,
} from './errors.ts'
export {
  type AccessDocument,
  accessKey,
  changedChannel,
  rejectedChannel,
  type StatusDocument,
  statusKey,
} from './format.ts'
export type { ReaderMetrics } from './metrics.ts'
export { createReader } from './reader.ts'
