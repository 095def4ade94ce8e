/** What the admin server answers. Nothing here waits: each page is made of what is known at the moment of the request. */
import { timingSafeEqual } from "node:crypto";
import { wantedFormat } from "../../telemetry/metrics/accept.ts";
import { type Format, formats, writeMetrics } from "../../telemetry/metrics/open-metrics.ts";
import type { Progress } from "../decide/status.ts";
import { describeHealth, isReady } from "./health.ts";
import { metricsOf } from "./metrics.ts";
import type { Snapshot } from "./snapshot.ts";

/** How long a page that costs something is shown again: no number of clients makes the master busy. */
const freshMs = 100;

export interface AdminRequest {
  readonly method: string;
  readonly target: string;
  readonly accept: string | null;
  readonly authorization: string | null;
}

export interface AdminAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** Field lines beside those that each answer has. */
  readonly fields: string;
}

export interface PagesParts {
  readonly progress: () => Progress;
  readonly snapshot: () => Snapshot;
  /** By performance.now(). */
  readonly nowMs: () => number;
}

interface Kept {
  readonly madeMs: number;
  readonly text: string;
}

export class Pages {
  /** What a client must show to see figures; null: nothing. */
  token: string | null = null;
  readonly #parts: PagesParts;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: PagesParts) {
    this.#parts = parts;
  }

  answer(request: AdminRequest): AdminAnswer {
    const [path = ""] = request.target.split("?", 1);
    const page = this.#pageAt(path);
    if (page === null) return text(404, "not found: there are /live, /ready, /metrics and /stats");
    const { method } = request;
    if (method !== "GET" && method !== "HEAD")
      return { ...text(405, "GET or HEAD"), fields: "Allow: GET, HEAD\r\n" };
    if (page.guarded && !this.#mayRead(request.authorization))
      return { ...text(401, "a token is needed"), fields: "WWW-Authenticate: Bearer\r\n" };
    return page.make(request);
  }

  #pageAt(path: string): { guarded: boolean; make: (request: AdminRequest) => AdminAnswer } | null {
    switch (path) {
      case "/live":
        return { guarded: false, make: () => text(200, "live") };
      case "/ready":
        return { guarded: false, make: () => this.#ready() };
      case "/metrics":
        return { guarded: true, make: ({ accept }) => this.#metrics(wantedFormat(accept)) };
      case "/stats":
        return { guarded: true, make: () => this.#stats() };
      default:
        return null;
    }
  }

  #ready(): AdminAnswer {
    const progress = this.#parts.progress();
    return text(isReady(progress) ? 200 : 503, describeHealth(progress));
  }

  #metrics(format: Format): AdminAnswer {
    const body = this.#fresh(format, () => writeMetrics(metricsOf(this.#parts.snapshot()), format));
    return { status: 200, type: formats[format], body, fields: "" };
  }

  #stats(): AdminAnswer {
    const body = this.#fresh("stats", () => `${JSON.stringify(this.#parts.snapshot())}\n`);
    return { status: 200, type: "application/json", body, fields: "" };
  }

  #fresh(name: string, make: () => string): string {
    const nowMs = this.#parts.nowMs();
    const kept = this.#kept.get(name);
    if (kept !== undefined && nowMs - kept.madeMs < freshMs) return kept.text;
    const made = make();
    this.#kept.set(name, { madeMs: nowMs, text: made });
    return made;
  }

  #mayRead(authorization: string | null): boolean {
    if (this.token === null) return true;
    const [, shown] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
    return shown !== undefined && timingSafeEqual(digest(shown), digest(this.token));
  }
}

function text(status: number, body: string): AdminAnswer {
  return { status, type: "text/plain; charset=utf-8", body: `${body}\n`, fields: "" };
}

/** Of equal lengths, so that the comparison tells nothing of the token's. */
function digest(token: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(token).digest();
}
