/**
 * The admin server over the life of a master: opened, moved and closed as the configuration says. It is a help: while its
 * address can't be had, the server serves, the log says why once, and it is tried again.
 */
import { type Address, sameAddress } from "../../net/bind-address.ts";
import { closeGroup, type Group, ListenError, urlOf } from "../../listen/group.ts";
import { openFirstSocket, type OpenOptions } from "../../listen/open-group.ts";
import type { Apps } from "../act/apps/apps.ts";
import type { Progress } from "../decide/status.ts";
import { sharing, type State } from "../decide/state.ts";
import type { AdminSettings } from "./settings.ts";
import { AdminServer } from "./admin-server.ts";
import { Pages } from "./pages.ts";
import { History } from "./history.ts";
import { Recorder } from "./recorder.ts";
import { type SnapshotSources, takeSnapshot } from "./snapshot.ts";
import { steer, type Steered } from "./steering.ts";

const retryDelayMs = 250;

export interface AdminParts extends SnapshotSources {
  readonly apps: Pick<Apps, "metrics">;
  readonly host: Steered;
  readonly progress: () => Progress;
}

interface Open {
  readonly group: Group;
  readonly server: AdminServer;
}

export class Admin {
  readonly #parts: AdminParts;
  readonly #pages: Pages;
  readonly #history = new History();
  /** The names of an app's metrics that the log was told aren't shown. */
  readonly #hidden = new Set<string>();
  #wanted: AdminSettings | null = null;
  #yields = false;
  /** The old master of an upgrade has the address yet. */
  #understudy = false;
  /** Ends the attempts to open an address. */
  #opening: AbortController | null = null;
  #open: Open | null = null;

  constructor(parts: AdminParts) {
    this.#parts = parts;
    const snapshot = () => takeSnapshot(parts, true);
    const recorder = new Recorder({
      snapshot,
      happenings: () => this.#history.happenings,
      steered: () => (this.#wanted?.token ?? null) !== null,
    });
    this.#pages = new Pages({
      progress: parts.progress,
      snapshot,
      measured: () => takeSnapshot(parts, false),
      appFamilies: () => parts.apps.metrics(),
      hide: (names) => this.#hide(names),
      figures: () => recorder.take(performance.now(), Date.now()),
      steer: (words) => steer(words, parts.host),
      nowMs: () => performance.now(),
    });
  }

  /** What the configuration in use says; null: there is to be none. */
  use(settings: AdminSettings | null): void {
    const before = this.#wanted;
    this.#wanted = settings;
    this.#pages.settings = settings;
    const moves =
      settings === null || before === null || !sameAddress(settings.address, before.address);
    if (!moves) {
      if (settings.token !== before.token) this.#open?.server.dismissWatching();
      return;
    }
    this.#shut();
    this.#start();
  }

  /** Called after each event. A master that leaves to another one gives its address away at once. */
  observe({ fleet, mastership }: Pick<State, "fleet" | "mastership">): void {
    this.#history.observe({ fleet, mastership }, Date.now());
    const { stopping, resting, understudy } = mastership;
    this.#understudy = understudy;
    const yields = sharing(mastership) && (stopping !== null || resting);
    if (yields === this.#yields) return;
    this.#yields = yields;
    if (yields) this.#shut();
    else this.#start();
  }

  close(): void {
    this.#wanted = null;
    this.#shut();
  }

  #hide(names: readonly string[]): void {
    const news = names.filter((name) => !this.#hidden.has(name));
    if (news.length === 0) return;
    for (const name of news) this.#hidden.add(name);
    const why = "another metric has that name";
    this.#parts.host.log(
      "info",
      `admin_bind: of the app's metrics not shown: ${news.join(", ")}: ${why}`,
    );
  }

  #start(): void {
    if (this.#wanted === null || this.#yields) return;
    const { address, options } = this.#wanted;
    this.#opening = new AbortController();
    void this.#tryToOpen(address, options, this.#opening.signal);
  }

  #shut(): void {
    this.#opening?.abort();
    this.#opening = null;
    if (this.#open === null) return;
    const { group, server } = this.#open;
    this.#open = null;
    server.close();
    const error = closeGroup(group, false);
    if (error !== null)
      this.#parts.host.log("info", `admin_bind: its socket can't be removed: ${error.message}`);
  }

  /** Until it is open, or nobody wants it any more. Never rejects. */
  async #tryToOpen(address: Address, options: OpenOptions, signal: AbortSignal): Promise<void> {
    let told = "";
    const onRetry = (message: string) => {
      const reason = message.replace(/; retrying in 1 second$/, "");
      // Who holds it may change, or not be known each time.
      const [what = reason] = reason.split(", held by ", 1);
      if (what === told) return;
      told = what;
      const level = this.#understudy ? "info" : "error";
      this.#parts.host.log(level, `admin_bind: ${reason}; tried again until it can be had`);
    };
    while (!signal.aborted) {
      try {
        const group = await openFirstSocket(address, false, [], {
          ...options,
          retryDelayMs,
          onRetry,
          signal,
        });
        if (signal.aborted) return void closeGroup(group, false);
        return this.#listen(group);
      } catch (error) {
        if (signal.aborted) return;
        // Each attempt of one has been told.
        if (!(error instanceof ListenError)) onRetry((error as Error).message);
        await Bun.sleep(retryDelayMs);
      }
    }
  }

  #listen(group: Group): void {
    const [fd] = group.fds as [number];
    const server = new AdminServer(fd, {
      answer: (request) => this.#pages.answer(request),
      log: (level, message) => this.#parts.host.log(level, message),
    });
    this.#open = { group, server };
    this.#parts.host.log("info", `Admin server at: ${urlOf(group.address, group.bound)}`);
  }
}
