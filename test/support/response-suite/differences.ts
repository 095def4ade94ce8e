/** Applies the table of differences: what ours must say, from what Bun.serve says. */
import { asGet, type Case } from "./case.ts";
import type { RequestKind, Seen } from "./observe.ts";
import { table } from "./table.ts";

export type AppName = "bare" | "hooked";

export interface Question {
  readonly app: AppName;
  readonly row: string;
  readonly request: RequestKind;
}

/** What the table was needed for; what it holds beyond that is out of date. */
export class Usage {
  readonly #used = new Set<string>();

  add(at: number, { row, request }: Question, aspects: readonly string[]): void {
    for (const word of [`row ${row}`, `request ${request}`, ...aspects.map((one) => `ours ${one}`)])
      this.#used.add(`${at} ${word}`);
  }

  /** Each row, request and aspect of a case that explains nothing. */
  get unneeded(): string[] {
    return cases.flatMap((one, at) => {
      const words = [
        ...(one.rows ?? []).map((row) => `row ${row}`),
        ...(one.requests ?? []).map((request) => `request ${request}`),
        ...Object.keys(one.ours).map((aspect) => `ours ${aspect}`),
      ];
      const missing = words.filter((word) => !this.#used.has(`${at} ${word}`));
      return missing.map((word) => `${reasons[at]}: ${word}`);
    });
  }
}

const cases: readonly Case[] = table.flatMap((difference) => difference.cases);
const reasons = table.flatMap(({ reason, cases }) => cases.map(() => reason));

/** `get`: what this gave for the same row and GET. */
export function expected(theirs: Seen, question: Question, get: Seen, usage: Usage): Seen {
  let seen = theirs;
  for (const [at, one] of cases.entries()) {
    if (!applies(one, question, seen)) continue;
    const before = seen;
    seen = change(seen, one, get);
    const aspects = Object.keys(one.ours).filter((aspect) => before[aspect] !== seen[aspect]);
    if (aspects.length > 0) usage.add(at, question, aspects);
  }
  return seen;
}

function applies(one: Case, { app, row, request }: Question, seen: Seen): boolean {
  return (
    (one.app ?? app) === app &&
    one.rows?.includes(row) !== false &&
    one.requests?.includes(request) !== false &&
    Object.entries(one.theirs ?? {}).every(([aspect, value]) => (seen[aspect] ?? null) === value)
  );
}

function change(seen: Seen, { ours }: Case, get: Seen): Seen {
  const changed: Record<string, string> = { ...seen };
  for (const [aspect, value] of Object.entries(ours)) {
    const said = value === asGet ? get[aspect] : value;
    if (typeof said === "string") changed[aspect] = said;
    else delete changed[aspect];
  }
  return changed;
}
