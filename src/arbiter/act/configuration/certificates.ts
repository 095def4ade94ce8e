/** The certificates that are served: tells the log of them, watches their files, and reads what has changed. */
import { isA, messageOf } from "../../../api/thrown.ts";
import type { Config } from "../../../config/types.ts";
import { describeError, type LogLevel } from "../../../log/error-log.ts";
import { FileWatch } from "../../../reload/file-watch.ts";
import type { TlsCredentials } from "../../../tls/credentials.ts";
import { type CertificateFacts, describeCertificate } from "../../../tls/describe.ts";
import { credentialFiles } from "../../../tls/credential-files.ts";
import { readCredentials, type Surroundings } from "../../../tls/read-credentials.ts";
import {
  afterLook,
  type Fault,
  tellExpiry,
  tellServed,
  type Told,
} from "../../decide/certificates.ts";
import type { Environment } from "../master/environment.ts";
import type { ReadCredentials, Release } from "./releases.ts";

/** What of the arbiter it needs. */
export interface CertificatesHost {
  /** What the program was started with. */
  readonly env: Environment;
  log(level: LogLevel, message: string): void;
  /** The files of a configuration have changed, and can be served with. */
  renewed(generation: number, secure: ReadCredentials): void;
}

/** How often expiry is looked at. */
const expiryMs = 3_600_000;

export class Certificates {
  readonly #host: CertificatesHost;
  /** What is served now; null without TLS. */
  #used: { readonly generation: number; readonly config: Config } | null = null;
  #credentials: TlsCredentials | null = null;
  #facts: readonly CertificateFacts[] | null = null;
  #watch: FileWatch | null = null;
  #fault: Fault | null = null;
  #retry: Timer | null = null;
  #told: Told = new Map();

  constructor(host: CertificatesHost) {
    this.#host = host;
    setInterval(() => this.#tellExpiry(), expiryMs).unref();
  }

  /** A configuration is the one in use: at the start, by a reload, or because one is taken back. */
  use(generation: number, { resolved, secure }: Release): void {
    const { config } = resolved;
    this.#watch?.close();
    this.#watch = null;
    this.#fault = null;
    this.#used = secure === null ? null : { generation, config };
    this.#serve(secure?.credentials ?? null);
    if (secure === null || !config.tlsWatch) return;
    this.#watch = new FileWatch({
      files: credentialFiles(config),
      stamp: secure.stamp,
      onChange: () => this.#read(),
      onTrouble: (message) => this.#host.log("info", `tls_watch: changes are ${message}`),
    });
  }

  #read(): void {
    clearTimeout(this.#retry ?? undefined);
    if (this.#used === null || this.#watch === null) return;
    const { generation, config } = this.#used;
    const { stamp } = this.#watch;
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const read = tryToRead(config, { env: this.#host.env, warn });
    const problem = typeof read === "string" ? read : null;
    const { fault, line, againMs } = afterLook(this.#fault, problem, performance.now());
    this.#fault = fault;
    if (line !== null) this.#host.log(line.level, line.message);
    if (againMs !== null) {
      this.#retry = setTimeout(() => this.#read(), againMs);
      this.#retry.unref();
    }
    if (typeof read === "string" || Bun.deepEquals(read, this.#credentials)) return;
    for (const message of warnings) this.#host.log("warning", message);
    this.#serve(read);
    this.#host.renewed(generation, { credentials: read, stamp });
  }

  /** Says what is new of what is served from now on. */
  #serve(credentials: TlsCredentials | null): void {
    if (credentials === null) {
      this.#facts = null;
    } else if (!Bun.deepEquals(credentials, this.#credentials)) {
      const facts = credentials.certificates.map(describeCertificate);
      for (const line of tellServed(facts, this.#facts)) this.#host.log("info", line);
      this.#facts = facts;
    }
    this.#credentials = credentials;
    this.#tellExpiry();
  }

  #tellExpiry(): void {
    const { lines, told } = tellExpiry(this.#facts ?? [], this.#told, Date.now());
    this.#told = told;
    for (const { level, message } of lines) this.#host.log(level, message);
  }
}

/** What is there now, or why it can't be served with. */
function tryToRead(config: Config, surroundings: Surroundings): TlsCredentials | string {
  try {
    return readCredentials(config, surroundings) ?? "no certificate is left";
  } catch (error) {
    return isA(error, Error) ? messageOf(error) : describeError(error);
  }
}
