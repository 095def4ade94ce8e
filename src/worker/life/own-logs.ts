import type { ConfigData } from "../../config/types.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import { describeError } from "../../log/error-log.ts";
import { type Logs, openLogs } from "../../log/logs.ts";
import { identityOf } from "../../os/privileges.ts";
import { writeFully } from "../../os/write-fully.ts";

/**
 * Opens a worker's logs, with the rights that it was started with. Without them there is no worker: the process ends.
 */
export async function openOwnLogs(config: ConfigData): Promise<Logs> {
  try {
    const logs = await openLogs(config, identityOf(config));
    logs.use();
    return logs;
  } catch (error) {
    writeFully(2, `Worker ${process.pid} can't open its logs: ${describeError(error)}\n`);
    return process.exit(exitCodes.workerBoot);
  }
}
