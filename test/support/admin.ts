/** The admin server of a running server, and what it says. */
import { expect } from "bun:test";
import { type RunningServer, until } from "./server.ts";

/** For servers that a test asks. */
export const adminArgs = ["--admin-bind", "127.0.0.1:0"] as const;

/** Where it is, by the last line of the log from `after` on; waits for the line. */
export async function adminUrl(server: RunningServer, after = 0): Promise<string> {
  await server.logged(/Admin server at: \S+/, after);
  return [...server.log.matchAll(/Admin server at: (\S+)/g)].at(-1)?.[1] ?? "";
}

export function askAdmin(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, url), { keepalive: false, ...init });
}

export async function textOf(url: string, path: string): Promise<string> {
  return (await askAdmin(url, path)).text();
}

export type Figures = ReadonlyMap<string, number>;

/** All samples, by name and labels as they are written. */
export async function scrape(url: string): Promise<Figures> {
  return readFigures(await textOf(url, "/metrics"));
}

export function readFigures(text: string): Figures {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** What may never go back. */
const counter = /^[a-z_]+_(?:total|bucket|sum|count)(?:\{|$)/;

/** The counters that are less than they were. */
export function goneBack(before: Figures, after: Figures): readonly string[] {
  return [...before]
    .filter(([name, value]) => counter.test(name) && !((after.get(name) ?? -1) >= value))
    .map(([name, value]) => `${name}: ${value}, then ${after.get(name)}`);
}

/** Waits for figures: a worker writes one after another, and the master may look in between. */
export async function untilFigures(
  url: string,
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  let seen: Record<string, number | undefined> = {};
  await until("figures", async () => {
    const figures = await scrape(url);
    seen = Object.fromEntries(Object.keys(expected).map((name) => [name, figures.get(name)]));
    return Object.entries(expected).every(([name, value]) => seen[name] === value);
  }).catch(() => expect(seen).toEqual(expected));
}
