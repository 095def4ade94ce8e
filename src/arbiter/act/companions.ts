/** What a configuration may ask for beside workers: the admin server and autoscale. What isn't used isn't imported. */
import type { Admin, AdminParts } from "../admin/admin.ts";
import type { State } from "../decide/state.ts";
import type { Autoscaler } from "./scaling/autoscaler.ts";
import type { Release } from "./configuration/releases.ts";
import { LatePart } from "./configuration/late-part.ts";

export class Companions {
  readonly #admin: LatePart<Admin>;
  readonly #autoscaler: LatePart<Autoscaler>;

  constructor(parts: AdminParts & { readonly release: () => Release }) {
    const openAdmin = async () => new (await import("../admin/admin.ts")).Admin(parts);
    const openAutoscaler = async () =>
      new (await import("./scaling/autoscaler.ts")).Autoscaler(parts);
    this.#admin = new LatePart("admin_bind", openAdmin, parts.host);
    this.#autoscaler = new LatePart("autoscale", openAutoscaler, parts.host);
  }

  /** A configuration is in use from now on. */
  use({ admin: settings, resolved }: Release): void {
    if (settings !== null) this.#admin.want();
    if (resolved.config.autoscale !== null) this.#autoscaler.want();
    this.#admin.tell((admin) => admin.use(settings));
  }

  /** To be called after each event. */
  observe(state: State): void {
    this.#admin.tell((admin) => admin.observe(state));
    this.#autoscaler.tell((autoscaler) => autoscaler.observe(state, performance.now()));
  }

  close(): void {
    this.#admin.tell((admin) => admin.close());
  }
}
