/** The fault-injecting authorization server for tests, chaos and bench: it knows what is alive and what everyone got. */
export type { TokenResponse } from './authorization.ts'
export { oneClientPerClass, type RefereeClient } from './clients.ts'
export { answers, type Cut, type FakeAnswer, type Fault, type FaultKind, type FaultRule } from './faults.ts'
export { type ClientRules, type Decision, type FamilyView, Grants, type Minted } from './grants.ts'
export { classifyLosses, type Evidence, type Kill, type Loss, type LossVerdict } from './losses.ts'
export { type Plan, type PlannedFault, plannedFaults, type Random, seededRandom } from './plan.ts'
export type { Alive } from './protocol.ts'
export {
  type AdminAddress,
  connectReferee,
  type Referee,
  type RefereeAdmin,
  type RefereeOptions,
  startReferee,
} from './referee.ts'
export { type Bucket, busiest, type Delivery, type RequestRecord } from './request-log.ts'
export type { Visit } from './resource.ts'
export { parseTokenId, tokenIdOf } from './tokens.ts'
