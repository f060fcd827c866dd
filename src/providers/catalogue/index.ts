import type { ProviderEntry } from '../schema.ts'

/** Providers by the name that a client uses, each as data with its sources. */
export const catalogue: Record<string, ProviderEntry> = {}
