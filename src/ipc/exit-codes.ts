/**
 * Exit codes of master and workers: Gunicorn's. A worker's 3 or 4 becomes the master's when no worker of its generation
 * ever ran.
 */
export const exitCodes = {
  ok: 0,
  /** Wrong configuration, ports that can't be opened, a missing application name. */
  configuration: 1,
  /** Words on the command line that don't parse. */
  usage: 2,
  /** A worker failed before it was ready. */
  workerBoot: 3,
  /** MODULE:EXPORT doesn't name an app. */
  appLoad: 4,
  /** A bug, or a hook in the master that threw. */
  internal: 255,
} as const;
