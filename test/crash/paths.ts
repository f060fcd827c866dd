import { setTimeout as sleep } from 'node:timers/promises'
import * as messages from '../../src/workflows/messages.ts'
import { answers, type Fault } from '../referee/index.ts'
import type { Point } from './effects.ts'
import type { Holding, Rig } from './rig.ts'

/** A credential that one attempt is stopped of. */
export interface Subject {
  credential: string
  holding: Holding
  /** revokes it once, however often it is called */
  revoke(): Promise<void>
}

/** What happens to a credential while an attempt of its activities is stopped. */
export interface Path {
  name: string
  /** those whose effects are stopped at, one by one */
  activities: string[]
  /** how it is to end when nothing is lost */
  end: 'active' | 'closed'
  /** of the first exchange */
  fault?: Fault
  /** makes the activities run; without a person the first refresh comes by itself */
  trigger(rig: Rig, subject: Subject): Promise<void>
  /** what comes between the effects; a rejection is the effect's */
  meanwhile?(point: Point, subject: Subject): Promise<void>
  /** an attempt was stopped */
  stopped?(subject: Subject): Promise<void>
}

async function refreshNow(rig: Rig, { credential, holding }: Subject): Promise<void> {
  if (holding.kind === 'client_credentials') return
  const handle = rig.temporal.client.workflow.getHandle(`credential/${credential}`)
  await handle.startUpdate(messages.refreshNow, { waitForStage: 'ACCEPTED' })
}

/** Redis gets 250 ms, and does not answer. */
async function redisIsAway({ name }: Point): Promise<void> {
  if (name !== 'refresh#1 store.write#1 before') return
  await sleep(300)
  throw new Error('Redis is away')
}

export const paths = {
  refresh: { name: 'refresh', activities: ['claim', 'refresh'], end: 'active', trigger: refreshNow },
  persist: {
    name: 'persist',
    activities: ['refresh', 'persist'],
    end: 'active',
    trigger: refreshNow,
    meanwhile: redisIsAway,
  },
  lostAnswer: {
    name: 'lost answer',
    activities: ['refresh', 'settle'],
    end: 'active',
    fault: { kind: 'drop_after_commit' },
    trigger: refreshNow,
  },
  refusedClient: {
    name: 'refused client',
    activities: ['refresh'],
    end: 'active',
    fault: { kind: 'answer', answer: answers.invalidClient, commit: false },
    trigger: refreshNow,
  },
  revoke: {
    name: 'revoke',
    activities: ['fence', 'revokeTokens'],
    end: 'closed',
    // the workflow alone: a fence from outside would hide one that the activity has not set
    trigger: async (rig, { credential }) => {
      await readable(rig, credential)
      await rig.temporal.client.workflow.getHandle(`credential/${credential}`).signal(messages.revoke)
    },
  },
  revokeInFlight: {
    name: 'revoke in flight',
    activities: ['refresh', 'fence', 'revokeTokens'],
    end: 'closed',
    trigger: refreshNow,
    meanwhile: async ({ name }, subject) => {
      if (name !== 'refresh#1 tokenEndpoint.exchange#1 after') return
      await subject.revoke()
      // the workflow fences first, and hears of what was minted after that
      await sleep(1_500)
    },
    stopped: (subject) => subject.revoke(),
  },
} satisfies Record<string, Path>

async function readable({ store }: Rig, credential: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await store.isReadable(credential)) return
    await sleep(100)
  }
  throw new Error(`${credential} has no token`)
}
