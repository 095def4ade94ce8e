/** What the buttons of the page do: a few commands of the control socket, for who shows the token. */
import { CommandError, readCommand } from "../../control/commands.ts";
import type { LogLevel } from "../../log/error-log.ts";
import type { Event } from "../decide/events.ts";
import { answer, type ControlFacts } from "../control/answer.ts";

/** What of the arbiter it needs. */
export interface Steered {
  log(level: LogLevel, message: string): void;
  facts(): ControlFacts;
  handle(event: Event): void;
}

/** By the path that each is posted to. */
const commands: ReadonlyMap<string, readonly string[]> = new Map([
  ["/commands/reload", ["reload"]],
  ["/commands/worker/add", ["worker", "add"]],
  ["/commands/worker/remove", ["worker", "remove"]],
]);

/** The words of a path's command; null if it has none. */
export function commandAt(path: string): readonly string[] | null {
  return commands.get(path) ?? null;
}

export interface Outcome {
  readonly done: boolean;
  readonly data: object;
}

/** Carries out a command; what keeps it from that is a sentence in the data. */
export function steer(words: readonly string[], host: Steered): Outcome {
  try {
    const { data, event } = answer(readCommand(words), host.facts());
    if (event !== null) {
      host.log("info", `Handling command: ${words.join(" ")} (admin_bind)`);
      host.handle(event);
    }
    return { done: true, data };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { done: false, data: { error: error.message } };
  }
}
