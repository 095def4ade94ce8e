/** The configurations that workers were born under, by generation number. */
import type { LogLevel } from "../../../log/error-log.ts";
import type { Logs } from "../../../log/logs.ts";
import type { TlsCredentials } from "../../../tls/credentials.ts";
import type { AdminSettings } from "../../admin/settings.ts";
import type { AppConfig } from "./generation.ts";

/** What TLS is served with. */
export interface ReadCredentials {
  readonly credentials: TlsCredentials;
  /** How the files were when they were read (src/reload/stamp.ts). */
  readonly stamp: string;
}

/** A configuration, and what it asks for: the logs, and what TLS is served with. */
export interface Release {
  readonly resolved: AppConfig;
  readonly logs: Logs;
  /** The newest, for workers that are born under it; null without TLS. */
  readonly secure: ReadCredentials | null;
  /** Of the admin server; null without one. */
  readonly admin: AdminSettings | null;
}

export class Releases {
  readonly #byNumber = new Map<number, Release>();

  add(number: number, release: Release): void {
    this.#byNumber.set(number, release);
  }

  get(number: number): Release {
    const release = this.#byNumber.get(number);
    if (release === undefined) throw new Error(`no configuration of generation ${number}`);
    return release;
  }

  /** Workers that are born from now on get them. Answers false when there is no such configuration any more. */
  renew(number: number, secure: ReadCredentials): boolean {
    const release = this.#byNumber.get(number);
    if (release === undefined) return false;
    this.#byNumber.set(number, { ...release, secure });
    return true;
  }

  /** Of all, and of the workers that are born under them. */
  setLogLevel(level: LogLevel): void {
    for (const [number, release] of this.#byNumber) {
      const { resolved, logs } = release;
      const config = Object.freeze({ ...resolved.config, loglevel: level });
      this.#byNumber.set(number, { ...release, resolved: { ...resolved, config } });
      logs.setLevel?.(level);
    }
  }

  /** Of all: a reload may be taken back. */
  reopenLogs(): void {
    for (const { logs } of this.#byNumber.values()) logs.reopen();
  }

  /** Forgets all but the given ones. */
  keep(numbers: ReadonlySet<number>): void {
    for (const [number, { logs }] of this.#byNumber) {
      if (numbers.has(number)) continue;
      this.#byNumber.delete(number);
      logs.close();
    }
  }
}
