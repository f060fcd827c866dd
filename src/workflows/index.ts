export { credential } from './credential.ts'
