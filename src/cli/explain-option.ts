/**
 * An option that node's parseArgs refuses, for people: without node's advice for words that begin with a dash, as no
 * command takes any.
 */
import { UsageError } from "../api/errors.ts";

/** @param suggest what a name without its dashes may mean, as the end of a message; empty for nothing */
export function explainOption(cause: unknown, suggest: (name: string) => string): UsageError {
  const [sentence = ""] = (cause as Error).message.split(". To specify a positional argument", 1);
  const [, name = null] = /^Unknown option '--([\w-]+)'/.exec(sentence) ?? [];
  return new UsageError(name === null ? sentence : sentence + suggest(name), { cause });
}
