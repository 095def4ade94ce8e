/** What goes over the control socket: Gunicorn's fields, and the version of what the data look like. */
import { CommandError } from "./commands.ts";

/** Goes up when a field that was there is gone, or means something else; new fields don't change it. */
export const answerVersion = 1;

export interface Request {
  /** Any JSON value: the answer has the same. */
  readonly id: unknown;
  /** The words of the command. */
  readonly words: readonly string[];
}

export type Answer =
  | { readonly id: unknown; readonly status: "ok"; readonly version: number; readonly data: object }
  | {
      readonly id: unknown;
      readonly status: "error";
      readonly version: number;
      readonly error: string;
    };

/**
 * Reads what a client has sent. `command` is split as a shell would, without quotes: no command has words with spaces.
 * @throws CommandError
 */
export function readRequest(message: unknown): Request {
  if (typeof message !== "object" || message === null || Array.isArray(message))
    throw new CommandError("a request is an object with command and args");
  const { id = 0, command, args = [] } = message as Record<string, unknown>;
  if (typeof command !== "string") throw new CommandError("command must be text");
  if (!Array.isArray(args)) throw new CommandError("args must be a list");
  const words = [...command.split(/\s+/), ...args.map(asWord)].filter((word) => word !== "");
  return { id, words };
}

/** Null for what is no answer. */
export function readAnswer(message: unknown): Answer | null {
  if (typeof message !== "object" || message === null) return null;
  const { status, version, data, error } = message as Record<string, unknown>;
  if (version !== answerVersion) return null;
  if (status === "ok")
    return typeof data === "object" && data !== null ? (message as Answer) : null;
  return status === "error" && typeof error === "string" ? (message as Answer) : null;
}

export function ok(id: unknown, data: object): Answer {
  return { id, status: "ok", version: answerVersion, data };
}

export function failure(id: unknown, error: string): Answer {
  return { id, status: "error", version: answerVersion, error };
}

function asWord(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new CommandError("args must be texts and numbers");
}
