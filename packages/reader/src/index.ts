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
export { type AccessToken, createReader, type GetOptions, type Reader, type ReaderOptions } from './reader.ts'
export type { RedisCommands, RedisOptions } from './store.ts'
