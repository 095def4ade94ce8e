/**
 * What the admin server answers. Nothing here waits for a worker, but for the metrics of the app for a moment: each page is
 * made of what is known when it is asked for.
 */
import { hostname } from "node:os";
import { importSoon } from "../../import-soon.ts";
import { wantedFormat } from "../../telemetry/metrics/accept.ts";
import {
  type AppFamily,
  separate,
  writeAppFamilies,
} from "../../telemetry/metrics/app-families.ts";
import { type Format, formats, writeMetrics } from "../../telemetry/metrics/open-metrics.ts";
import type { Progress } from "../decide/status.ts";
import { type Asker, isForeign, isPublic, mayBeRebound, showsToken } from "./guard.ts";
import { describeHealth, isReady } from "./health.ts";
import { metricsOf } from "./metrics.ts";
import type { AdminSettings } from "./settings.ts";
import type { page as assets } from "./page/assets.ts";
import type { PageFigures } from "./page/figures.ts";
import type { Snapshot } from "./snapshot.ts";
import { commandAt, type Outcome } from "./steering.ts";

/** How long a page that costs something is shown again: no number of clients makes the master busy. */
const freshMs = 100;
/** Of what is sent each second. */
const eventFreshMs = 900;

export interface AdminRequest extends Asker {
  readonly method: string;
  readonly target: string;
  readonly accept: string | null;
}

export interface AdminAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** Field lines beside those that each answer has. */
  readonly fields: string;
  /** Makes what follows the body each second, for as long as the client stays; null: the body is all. */
  readonly next: (() => string) | null;
}

export interface PagesParts {
  readonly progress: () => Progress;
  readonly snapshot: () => Snapshot;
  /** Without what workers are busy with, which no metric says. */
  readonly measured: () => Snapshot;
  /** The metrics that the app has itself; null: it has none. */
  readonly appFamilies: () => Promise<readonly AppFamily[]> | null;
  /** Told of those among them that can't be shown. */
  readonly hide: (names: readonly string[]) => void;
  readonly figures: () => PageFigures;
  readonly steer: (words: readonly string[]) => Outcome;
  /** By performance.now(). */
  readonly nowMs: () => number;
}

interface Kept {
  readonly madeMs: number;
  readonly text: string;
}

/** One path. `guarded`: it shows figures. `scraped`: by programs, which come by whatever name the machine has. */
interface Page {
  readonly guarded: boolean;
  readonly scraped?: boolean;
  readonly make: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
}

export class Pages {
  /** Where the pages are, and what a client must show to see figures. */
  settings: Pick<AdminSettings, "address" | "token"> | null = null;
  readonly #assets = importSoon(() => import("./page/assets.ts"));
  readonly #parts: PagesParts;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: PagesParts) {
    this.#parts = parts;
  }

  get #token(): string | null {
    return this.settings?.token ?? null;
  }

  answer(request: AdminRequest): AdminAnswer | Promise<AdminAnswer> {
    const [path = ""] = request.target.split("?", 1);
    const command = commandAt(path);
    if (command !== null) return this.#command(command, request);
    const page = this.#pageAt(path);
    if (page === null)
      return text(404, "not found: there are /, /live, /ready, /metrics, /stats and /events");
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD");
    return (page.guarded ? this.#refusal(request, page) : null) ?? page.make(request);
  }

  #pageAt(path: string): Page | null {
    switch (path) {
      case "/":
        return {
          guarded: false,
          make: async () => documentOf((await this.#assets()).page, this.#token !== null),
        };
      case "/live":
        return { guarded: false, make: () => text(200, "live") };
      case "/ready":
        return { guarded: false, make: () => this.#ready() };
      case "/metrics":
        return {
          guarded: true,
          scraped: true,
          make: ({ accept }) => this.#metrics(wantedFormat(accept)),
        };
      case "/stats":
        return { guarded: true, make: () => this.#stats() };
      case "/events":
        return { guarded: true, make: () => this.#events() };
      default:
        return null;
    }
  }

  /** Null: it is answered. */
  #refusal(request: AdminRequest, { scraped = false }: Pick<Page, "scraped">): AdminAnswer | null {
    if (isForeign(request)) return text(403, "not for pages of other sites");
    const { settings } = this;
    if (settings === null) return null;
    const { address, token } = settings;
    if (!showsToken(request, token))
      return { ...text(401, "a token is needed"), fields: "WWW-Authenticate: Bearer\r\n" };
    const anyName = token !== null || (scraped && isPublic(address));
    if (anyName || !mayBeRebound(request.host, { address, hostname: hostname() })) return null;
    return text(421, "without a token, figures are shown by address or by the machine's name only");
  }

  #command(words: readonly string[], request: AdminRequest): AdminAnswer {
    if (request.method !== "POST") return notAllowed("POST");
    if (this.#token === null)
      return text(403, "the server is steered by who shows a token, and it has none");
    const refusal = this.#refusal(request, {});
    if (refusal !== null) return refusal;
    const { done, data } = this.#parts.steer(words);
    return json(done ? 200 : 409, `${JSON.stringify(data)}\n`);
  }

  #ready(): AdminAnswer {
    const progress = this.#parts.progress();
    return text(isReady(progress) ? 200 : 503, describeHealth(progress));
  }

  #metrics(format: Format): AdminAnswer | Promise<AdminAnswer> {
    const answer = { ...text(200, ""), type: formats[format] };
    // Asked once: a moment later it may be old, and what is made then without the app's families would be kept.
    const kept = this.#recent(format, freshMs);
    if (kept !== null) return { ...answer, body: kept };
    const asked = this.#parts.appFamilies();
    if (asked === null) return { ...answer, body: this.#written(format, []) };
    return asked.then((families) => ({ ...answer, body: this.#written(format, families) }));
  }

  #written(format: Format, families: readonly AppFamily[]): string {
    const make = () => {
      const own = metricsOf(this.#parts.measured());
      const { shown, hidden } = separate(own, families);
      this.#parts.hide(hidden);
      return writeMetrics(own, format, writeAppFamilies(shown, format));
    };
    return this.#fresh(format, make);
  }

  #stats(): AdminAnswer {
    const make = () => `${JSON.stringify(this.#parts.snapshot())}\n`;
    return json(200, this.#fresh("stats", make));
  }

  /** Server-sent events (HTML §9.2), the same for all that watch. */
  #events(): AdminAnswer {
    const make = () => `data: ${JSON.stringify(this.#parts.figures())}\n\n`;
    const next = () => this.#fresh("events", make, eventFreshMs);
    // Proxies such as nginx would gather them.
    const fields = "X-Accel-Buffering: no\r\n";
    return { status: 200, type: "text/event-stream", body: next(), fields, next };
  }

  #fresh(name: string, make: () => string, forMs = freshMs): string {
    const recent = this.#recent(name, forMs);
    if (recent !== null) return recent;
    const madeMs = this.#parts.nowMs();
    const made = make();
    this.#kept.set(name, { madeMs, text: made });
    return made;
  }

  /** What was made within `forMs`; null: nothing. */
  #recent(name: string, forMs: number): string | null {
    const kept = this.#kept.get(name);
    return kept !== undefined && this.#parts.nowMs() - kept.madeMs < forMs ? kept.text : null;
  }
}

/** The page has no figures: it asks for them. */
function documentOf(page: typeof assets, guarded: boolean): AdminAnswer {
  const fields = `Content-Security-Policy: ${page.policy}\r\nReferrer-Policy: no-referrer\r\n`;
  const body = guarded ? page.guarded : page.text;
  return { ...text(200, ""), type: "text/html; charset=utf-8", body, fields };
}

export function text(status: number, body: string): AdminAnswer {
  const type = "text/plain; charset=utf-8";
  return { status, type, body: `${body}\n`, fields: "", next: null };
}

function json(status: number, body: string): AdminAnswer {
  return { status, type: "application/json", body, fields: "", next: null };
}

function notAllowed(methods: string): AdminAnswer {
  return { ...text(405, methods.replace(", ", " or ")), fields: `Allow: ${methods}\r\n` };
}
