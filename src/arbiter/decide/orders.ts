/** The signals that plan() asks for. */
import type { Action } from "./events.ts";
import type { WorkerState } from "./state.ts";

type Signal = Extract<Action, { do: "signal" }>;

export function signal(
  { age, pid }: WorkerState,
  name: Signal["signal"],
  because: Signal["because"] = null,
): Action {
  return { do: "signal", age, pid, signal: name, because };
}

/** @param when `after graceful_timeout` */
export function kill(worker: WorkerState, when: string): Action {
  const message = `Worker (pid:${worker.pid}) had not stopped ${when}, killed`;
  return signal(worker, "SIGKILL", { level: "warning", message });
}
