/** The provider of the benchmark in a process of its own: `node provider-process.ts RULES`, asked over IPC. */
import { type ProviderRules, type RequestSeen, TokenProvider, type Weather } from './provider.ts'

export type ProviderQuestion = { ask: 'become'; weather: Weather } | { ask: 'requests'; from: number }
export type ProviderAnswer = { port: number } | { done: true } | { requests: RequestSeen[] }

const provider = new TokenProvider(JSON.parse(process.argv[2] ?? '{}') as ProviderRules)
const tell = (answer: ProviderAnswer) => process.send?.(answer)

process.on('message', async (question: ProviderQuestion) => {
  if (question.ask === 'requests') tell({ requests: provider.requests.slice(question.from) })
  else {
    await provider.become(question.weather)
    tell({ done: true })
  }
})
process.on('disconnect', () => process.exit())
tell({ port: await provider.listen() })
