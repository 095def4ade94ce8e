/** gunicorn-ts as the bench starts it. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { BenchError } from "../errors.ts";
import type { Feature } from "../loads/load.ts";
import type { Certificate, Facilities, FeatureWords } from "./facilities.ts";

/** The bench's own. */
export const ownCheckout = join(import.meta.dir, "../..");

/** Every limit that there is, but none that a run reaches. */
const limits = [
  ["--timeout", "30"],
  ["--max-requests", "1000000000"],
].flat();

/** Limits that Bun.serve hasn't, and which worker class serve therefore refuses. The keep-alive is Bun.serve's own longest. */
const engineLimits = [
  "--worker-connections",
  "100000",
  "--limit-request-body",
  "100000000",
  "--keep-alive",
  "255",
];

export interface GunicornTsOptions {
  readonly port: number;
  readonly workers: number;
  /** MODULE:EXPORT. */
  readonly app: string;
  readonly workerClass?: string;
  /** Another one of this project; the bench's own without it. */
  readonly checkout?: string;
  /** They may overrule the limits. */
  readonly words?: readonly string[];
}

export function gunicornTs(options: GunicornTsOptions): string[] {
  const { port, workers, app, workerClass = "async", words = [], checkout = ownCheckout } = options;
  return [
    process.execPath,
    programIn(checkout),
    "-w",
    String(workers),
    "-b",
    `127.0.0.1:${port}`,
    "-k",
    workerClass,
    ...limits,
    ...(workerClass === "serve" ? [] : engineLimits),
    "--log-level",
    "warning",
    ...words,
    app,
  ];
}

/** Another version, as --against names it. Throws BenchError for a folder that isn't one. */
export function checkoutAt(against: string): string {
  const checkout = resolve(against);
  if (existsSync(programIn(checkout))) return checkout;
  throw new BenchError(`--against: must be a checkout of gunicorn-ts, got ${against}`);
}

export function programIn(checkout: string): string {
  return join(checkout, "bin/gunicorn-ts.ts");
}

/** MODULE:EXPORT of a file of bench/apps. */
export function benchApp(name: string): string {
  return `${join(import.meta.dir, "../apps", `${name}.ts`)}:fetch`;
}

export function tlsWords({ certificate, key }: Certificate): string[] {
  return ["--certfile", certificate, "--keyfile", key];
}

export function gunicornTsFeature(feature: Feature | null, facilities: Facilities): FeatureWords {
  switch (feature) {
    case null:
      return { words: [] };
    case "access log":
      return { words: ["--access-logfile", facilities.accessLog] };
    case "statsD":
      return { words: ["--statsd-host", facilities.statsd] };
    case "TLS": {
      const pair = facilities.certificate();
      if (pair === null) return { cannot: "openssl, which makes a certificate, isn't installed" };
      return { words: tlsWords(pair) };
    }
    default:
      feature satisfies never;
      return { words: [] };
  }
}
