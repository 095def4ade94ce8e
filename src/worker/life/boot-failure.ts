/** Why an app or its worker can't be loaded: what an operator can mend is one line, anything else needs its stack. */
import { ConfigError } from "../../api/errors.ts";
import { isA } from "../../api/thrown.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import { describeError, type Log } from "../../log/error-log.ts";
import { AppImportError } from "../../modules/errors.ts";
import { explainImport } from "../../modules/explain-import.ts";
import { PrivilegesError } from "../../os/processes/privileges.ts";
import { StartupError } from "./app-lifespan.ts";
import { explainCollision } from "./port-collision.ts";

/** ConfigError: a worker class that isn't there. */
const expected: readonly (new (message: string) => Error)[] = [
  AppImportError,
  ConfigError,
  PrivilegesError,
  StartupError,
];

/** Its message says all: where, what, what was got. */
function isExpected(error: unknown): error is Error {
  return expected.some((Class) => isA(error, Class));
}

/** One line for what an operator can mend; for anything else its stack, and what would mend it where that is known. */
export function describeFailure(error: unknown): string {
  if (isExpected(error)) return error.message;
  const text = describeError(error);
  const hint = explainImport(error);
  return hint === null ? text : `${text}\n${hint}`;
}

/** Answers with Gunicorn's exit code. */
export function logBootFailure(log: Log, error: unknown): number {
  if (isExpected(error)) log.error(error.message);
  else {
    log.exception(`Exception in worker process\n${describeFailure(error)}`);
    explainCollision(log, error);
  }
  return isA(error, AppImportError) ? exitCodes.appLoad : exitCodes.workerBoot;
}
