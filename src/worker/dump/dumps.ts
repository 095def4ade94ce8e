/** Heaps and profiles of this process, for a control socket that may ask for one at any time. */
import { importSoon } from "../../import-soon.ts";
import type { DumpMessage } from "../../ipc/messages.ts";
import type { Log } from "../../log/error-log.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import type { sendDump } from "./send-dump.ts";

type Room = { readonly sendDump: typeof sendDump };

export class Dumps {
  readonly #room: () => Promise<Room>;
  readonly #log: Pick<Log, "warning">;

  /** @param asked whether there is a control socket */
  constructor(asked: boolean, log: Pick<Log, "warning">) {
    const load = () => import("./send-dump.ts");
    this.#room = asked ? importSoon(load) : load;
    this.#log = log;
  }

  /** Never rejects: no client is worth a worker. */
  async send(order: DumpMessage): Promise<void> {
    try {
      const room = await this.#room();
      await room.sendDump(order, this.#log);
    } catch (error) {
      this.#log.warning(`Can't make a ${order.what}: ${textOf(error)}`);
    }
  }
}
