import type { BootMessage } from "../../ipc/messages.ts";
import type { Serving, ServingContext } from "./serving.ts";

type CreateServing = (context: ServingContext) => Serving;

/**
 * By worker_class: makes the process ready for the app, and then serves it. What isn't used isn't imported. `marked`: somebody
 * wants to know what Responses were made from.
 */
export const kinds: Record<
  BootMessage["config"]["workerClass"],
  (marked: boolean) => Promise<CreateServing>
> = {
  async async() {
    const { AsyncServing } = await import("./async.ts");
    AsyncServing.prepareProcess();
    return (context) => new AsyncServing(context);
  },
  async serve(marked) {
    const { BunServing } = await import("./serve.ts");
    if (marked) BunServing.prepareProcess();
    return (context) => new BunServing(context);
  },
};
