/** The configuration of a worker that answers the command line, in which nothing writes or sends but to standard error. */
import { isA } from "../api/thrown.ts";
import type { Config } from "../config/types.ts";
import { identityOf, PrivilegesError } from "../os/processes/privileges.ts";
import { writeFully } from "../os/write-fully.ts";

const quiet = {
  errorlog: "-",
  accesslog: null,
  logconfig: null,
  logconfigJson: null,
  logconfigDict: {},
  syslog: false,
  statsdHost: null,
  captureOutput: false,
  daemon: false,
  // An app that can't be loaded is an exit code here, no page.
  reload: false,
} as const satisfies Partial<Config>;

/** Who can't change user and group is told so, and asks the app all the same. */
export function trialConfig(config: Config): Config {
  return Object.freeze({ ...config, ...quiet, ...accounts(config) });
}

function accounts(config: Config): Partial<Config> {
  if (process.geteuid?.() === 0) return {};
  try {
    identityOf(config);
    return {};
  } catch (error) {
    if (!isA(error, PrivilegesError)) throw error;
    writeFully(2, `Warning: user and group are ignored by --request: ${error.message}\n`);
    return { user: null, group: null, initgroups: false };
  }
}
