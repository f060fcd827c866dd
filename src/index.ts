export {
  type Beginning,
  type CredentialView,
  type Filter,
  type Imported,
  type ImportOptions,
  Perennial,
} from './client.ts'
export { type Config, loadConfig } from './config.ts'
export { credentialId, parseCredentialId, type Status } from './credential.ts'
export { PerennialError } from './errors.ts'
export { runWorker } from './worker.ts'
