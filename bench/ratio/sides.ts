/** The two sides of a comparison: gunicorn-ts with one worker, and a bare Bun.serve, with the same app. */
import { join } from "node:path";
import { BenchError } from "../errors.ts";
import type { Certificate, Facilities } from "../servers/facilities.ts";
import { benchApp, gunicornTs, tlsWords } from "../servers/gunicorn-ts.ts";
import { freePort } from "../free-port.ts";
import { BenchServer } from "../servers/server.ts";

/** `plain`: gunicorn-ts without the load's feature, for what a feature costs by itself. */
export type Side = "gunicorn-ts" | "bare" | "plain";

const bare = join(import.meta.dir, "../apps/bare.ts");

/** Throws BenchError where openssl is missing. */
export function certificateOf(facilities: Facilities): Certificate {
  const certificate = facilities.certificate();
  if (certificate !== null) return certificate;
  throw new BenchError("openssl, which makes a certificate, isn't installed");
}

interface SideOptions {
  /** For gunicorn-ts. */
  readonly words?: readonly string[];
  /** For both: over TLS. */
  readonly certificate?: Certificate | null;
}

/** Starts a server on a free port; doesn't wait for it. */
export function startSide(side: Side, app: string, options: SideOptions = {}): BenchServer {
  const { words = [], certificate = null } = options;
  const port = freePort();
  const module = join(import.meta.dir, "../apps", `${app}.ts`);
  const secure = certificate !== null;
  const pair = secure ? [certificate.certificate, certificate.key] : [];
  const allWords = secure ? [...words, ...tlsWords(certificate)] : words;
  const command =
    side === "bare"
      ? [process.execPath, bare, module, String(port), "1", ...pair]
      : gunicornTs({ port, workers: 1, app: benchApp(app), words: allWords });
  return new BenchServer({ command, port, scheme: secure ? "https" : "http" });
}
