/** Whether a process computes or waits. Pure. */
import type { Activity } from "../../ipc/describe-doing.ts";

const computingShare = 0.5;

/** What a thread has done since its heart stands still. */
export interface Since {
  /** The part of the time in which it ran, or stood in the queue for a CPU and has got it. */
  readonly share: number;
  /** How often it has begun to wait. */
  readonly waits: number;
}

/**
 * @param state of the main thread, as proc(5) has it
 * @param since null while its heart beats, and where nobody knows
 */
export function activityOf(state: string, since: Since | null): Activity | null {
  switch (state) {
    case "T":
    case "t":
      return "stopped";
    // Dead.
    case "Z":
    case "X":
    case "":
      return null;
    default:
      return computes(state, since) ? "computing" : "waiting";
  }
}

function computes(state: string, since: Since | null): boolean {
  const runs = state === "R";
  if (since === null) return runs;
  // One that computes waits for a page now and then. On a busy machine it may have stood in the queue all the time, which the
  // kernel counts when it gets a CPU; one that only looks up has waited before.
  return since.share >= computingShare || (runs && since.waits < 2);
}
