/**
 * Parameters of credentials and clients: what fills the placeholders of a provider's endpoints and requests. A value
 * may choose the account at a site; the site itself only where the entry lists the values, or perennial.yaml says it.
 */
import { PerennialError } from '../errors.ts'
import { fillEndpoint } from './endpoint.ts'
import type { Provider } from './provider.ts'
import type { ParameterRules } from './schema.ts'
import { placeholders, requestNames, textsIn } from './template.ts'

type Values = Readonly<Record<string, string>>

/** What a credential's placeholders are filled from. */
export interface Given {
  clientId: string
  /** of perennial.yaml */
  client: Values
  /** of the credential */
  own: Values
}

/** Parts of an entry that hold placeholders. */
type Templated = Pick<
  Provider,
  | 'issuer'
  | 'tokenEndpoint'
  | 'revocationEndpoint'
  | 'introspectionEndpoint'
  | 'expiryLookup'
  | 'tokenRequest'
  | 'assertion'
  | 'revocation'
>

const longestValue = 2_000

/** The URLs of an entry, which are filled more strictly than its other texts. */
export function endpointsOf(provider: Templated): string[] {
  const { issuer, tokenEndpoint, revocationEndpoint, introspectionEndpoint, expiryLookup } = provider
  const endpoints = [issuer, tokenEndpoint, revocationEndpoint, introspectionEndpoint, expiryLookup?.endpoint]
  return endpoints.filter((template) => template !== undefined)
}

/** The names of the parameters that a provider's endpoints and requests use. */
export function usedParameters(provider: Templated): string[] {
  const { tokenRequest, assertion, revocation } = provider
  const requests = [tokenRequest?.add, tokenRequest?.headers, assertion, revocation?.add, revocation?.headers]
  const names = [endpointsOf(provider), requests].flatMap(textsIn).flatMap(placeholders)
  return [...new Set(names)].filter((name) => !requestNames.some((known) => known === name))
}

/** Whether a value of this parameter may stand where it names the site. */
export const mayNameSite = (rules: ParameterRules | undefined): boolean =>
  rules?.values !== undefined || rules?.setBy === 'client'

/** Says what is wrong with a value, if anything; never repeats it. */
export function valueProblem(value: string, rules: ParameterRules | undefined): string | undefined {
  if (value === '' || value.length > longestValue || /\p{Cc}/u.test(value))
    return `must be 1 to ${longestValue} characters, none of them a control character`
  if (rules?.values !== undefined && !rules.values.includes(value)) return `must be one of ${rules.values.join(', ')}`
  if (rules?.pattern !== undefined && !new RegExp(`^(?:${rules.pattern})$`).test(value))
    return `must match ${rules.pattern}${rules.example === undefined ? '' : `, as ${rules.example} does`}`
  return undefined
}

/**
 * What fills the placeholders for one credential: the entry's defaults, under those of the client, under its own.
 *
 * @returns the values by name, or a PerennialError `invalid_parameter` (returned, not thrown)
 */
export function parametersOf(
  provider: Pick<Provider, 'parameters'>,
  { clientId, client, own }: Given,
): Record<string, string> | PerennialError {
  const rules = provider.parameters ?? {}
  const forbidden = Object.keys(own).find((name) => ruleOf(rules, name)?.setBy === 'client')
  if (forbidden !== undefined)
    return refused(`parameter ${forbidden} is set for the whole client, under its parameters in perennial.yaml`)
  const defaults = Object.entries(rules).flatMap(([name, rule]) =>
    rule.default === undefined ? [] : [[name, rule.default]],
  )
  const values: Record<string, string> = { ...Object.fromEntries(defaults), ...client, ...own }
  for (const [name, value] of Object.entries(values)) {
    const problem = valueProblem(value, ruleOf(rules, name))
    if (problem !== undefined) return refused(`parameter ${name} ${problem}`)
  }
  return { ...values, client_id: clientId }
}

/**
 * Checks the parameters that a credential begins with. What no placeholder asks for is a mistake of spelling.
 *
 * @returns the endpoint that its token requests go to, or a PerennialError `invalid_parameter` (returned, not thrown)
 */
export function beginning(provider: Provider, given: Given): string | PerennialError {
  const values = parametersOf(provider, given)
  if (values instanceof PerennialError) return values
  const used = usedParameters(provider)
  const unused = Object.keys(given.own).find((name) => !used.includes(name))
  if (unused !== undefined) {
    const known = used.length === 0 ? 'it has none' : `it has ${used.join(', ')}`
    return refused(`parameter ${unused} is none of provider ${provider.name}; ${known}`)
  }
  const missing = used.find((name) => !Object.hasOwn(values, name))
  if (missing !== undefined) {
    const rule = ruleOf(provider.parameters ?? {}, missing)
    const where =
      rule?.setBy === 'client'
        ? 'give it under parameters of its client'
        : 'give it with the credential or under parameters of its client'
    const what = rule === undefined ? '' : ` (${rule.description})`
    return refused(`parameter ${missing} is missing; ${where}${what}`)
  }
  const filled = endpointsOf(provider).map((template) => filledEndpoint(provider, template, values))
  const unfilled = filled.find((endpoint) => typeof endpoint !== 'string')
  return unfilled ?? filledEndpoint(provider, provider.tokenEndpoint ?? provider.issuer ?? '', values)
}

/** An endpoint of a provider, with what {@link parametersOf} has found in its placeholders. */
export const filledEndpoint = (
  { parameters = {} }: Pick<Provider, 'parameters'>,
  template: string,
  values: Values,
): string | PerennialError => fillEndpoint(template, values, (name) => mayNameSite(ruleOf(parameters, name)))

const ruleOf = (rules: Readonly<Record<string, ParameterRules>>, name: string) =>
  Object.hasOwn(rules, name) ? rules[name] : undefined

const refused = (message: string) => new PerennialError('invalid_parameter', message)
