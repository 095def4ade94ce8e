/** What is compared: a server, with as many processes as asked for, and an app that answers the same as everybody's. */
import { benchFile } from "../bench-file.ts";
import type { Feature } from "../loads/load.ts";
import type { Facilities } from "../servers/facilities.ts";
import type { ServerCommand } from "../servers/server.ts";

export interface PeerTask {
  /** A file of bench/apps. */
  readonly app: string;
  readonly port: number;
  readonly workers: number;
  readonly feature: Feature | null;
  readonly facilities: Facilities;
}

export interface Peer {
  readonly name: string;
  /** Its version, or null when it isn't installed. */
  version(): string | null;
  /** What installs it. */
  readonly install: string;
  /** How it is started, or why it can't do this, in a sentence. */
  command(task: PeerTask): Omit<ServerCommand, "port"> | { readonly cannot: string };
}

/** The apps that peers have written for themselves, and the sizes of the files that they send. */
const writtenApps: Readonly<
  Record<string, { readonly name: string; readonly fileBytes?: number }>
> = {
  hello: { name: "hello" },
  json: { name: "json" },
  stream: { name: "stream" },
  "file-16k": { name: "file", fileBytes: 16_384 },
  "file-1m": { name: "file", fileBytes: 1_048_576 },
};

export interface WrittenApp {
  readonly name: string;
  /** null for an app that sends none. */
  readonly file: string | null;
}

/** What an app of bench/apps is called in bench/apps/peers; null for one that isn't there. */
export function writtenApp(app: string): WrittenApp | null {
  const found = writtenApps[app];
  if (found === undefined) return null;
  const { name, fileBytes } = found;
  return { name, file: fileBytes === undefined ? null : benchFile(fileBytes) };
}

/** For the programs of bench/apps/peers. */
export function writtenAppEnv({ name, file }: WrittenApp): Readonly<Record<string, string>> {
  return { BENCH_APP: name, ...(file === null ? {} : { BENCH_FILE: file }) };
}

/** The version that a program on PATH tells; null when it isn't there. */
export function programVersion(
  name: string,
  words: readonly string[] = ["--version"],
): string | null {
  const path = Bun.which(name);
  if (path === null) return null;
  const { stdout, stderr } = Bun.spawnSync([path, ...words]);
  return /\d+\.\d+(\.\d+)?/.exec(stdout.toString() + stderr.toString())?.[0] ?? "unknown";
}

/** A sentence for what a server isn't compared in. */
export function without({ app, feature }: PeerTask): { readonly cannot: string } {
  return { cannot: `isn't compared with ${feature ?? `the app ${app}`}` };
}
