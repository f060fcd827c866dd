/**
 * Loaded once for all workflows of a worker, before the first of them, and frozen then. They keep nothing in modules;
 * loaded for each run again, they would take their time and memory for each.
 *
 * The SDK takes a stack trace of every promise that a workflow makes, to answer the query `__stack_trace`: with ten
 * frames and a look into the source map for each, that is a fifth and more of what a refresh costs the thread of the
 * workflows. One frame says where an error was thrown. What a credential waits for, its timers and details say.
 */
Error.stackTraceLimit = 1

export * from './index.ts'
