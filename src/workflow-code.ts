import { join } from 'node:path'

/**
 * The workflows, for the SDK's bundler: every bundle is made of these, so that what is tested is what runs.
 *
 * @param folder that they are in
 * @param extension `ts` in the checkout, `js` where they are compiled
 */
export const workflowModules = (folder: string, extension: 'ts' | 'js') => ({
  workflowsPath: join(folder, `index.${extension}`),
  preloadModules: [join(folder, `preloaded.${extension}`)],
})
