/** The two sides of a comparison: gunicorn-ts with one worker, and a bare Bun.serve, with the same app. */
import { join } from "node:path";
import { BenchError } from "../errors.ts";
import type { Certificate, Facilities } from "../servers/facilities.ts";
import { benchApp, gunicornTs, tlsWords } from "../servers/gunicorn-ts.ts";
import { freePort } from "../free-port.ts";
import { BenchServer } from "../servers/server.ts";

/** Ours, a bare Bun.serve, or another checkout of ours in its place. */
export type Side = "gunicorn-ts" | "bare" | { readonly checkout: string };

const bare = join(import.meta.dir, "../apps/bare.ts");

/** Throws BenchError where openssl is missing. */
export function certificateOf(facilities: Facilities): Certificate {
  const certificate = facilities.certificate();
  if (certificate !== null) return certificate;
  throw new BenchError("openssl, which makes a certificate, isn't installed");
}

interface SideOptions {
  /** Of each side; 1 without it. */
  readonly workers?: number;
  /** For gunicorn-ts. */
  readonly words?: readonly string[];
  /** For both: over TLS. */
  readonly certificate?: Certificate | null;
}

/** Starts a server on a free port; doesn't wait for it. */
export function startSide(side: Side, app: string, options: SideOptions = {}): BenchServer {
  const { words = [], certificate = null, workers = 1 } = options;
  const port = freePort();
  const module = join(import.meta.dir, "../apps", `${app}.ts`);
  const secure = certificate !== null;
  const pair = secure ? [certificate.certificate, certificate.key] : [];
  const allWords = secure ? [...words, ...tlsWords(certificate)] : words;
  const command =
    side === "bare"
      ? [process.execPath, bare, module, String(port), String(workers), ...pair]
      : gunicornTs({ port, workers, app: benchApp(app), words: allWords, ...programOf(side) });
  return new BenchServer({ command, port, scheme: secure ? "https" : "http" });
}

/** For gunicornTs(): which one is started. */
export function programOf(side: Side): { readonly checkout?: string } {
  return typeof side === "string" ? {} : side;
}

export function nameOf(side: Side): string {
  if (side === "bare") return "Bun.serve";
  return typeof side === "string" ? side : side.checkout;
}
