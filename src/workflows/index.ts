export { credential } from './credential.ts'
export { revocation } from './revocation.ts'
