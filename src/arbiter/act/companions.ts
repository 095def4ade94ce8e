/** What a configuration may ask for beside workers: the admin server and autoscale. What isn't used isn't imported. */
import type { Admin, AdminParts } from "../admin/admin.ts";
import type { State } from "../decide/state.ts";
import type { Autoscaler } from "./scaling/autoscaler.ts";
import type { Release } from "./configuration/releases.ts";

export class Companions {
  readonly #parts: AdminParts & { readonly release: () => Release };
  /** From the first configuration that asks for it. */
  #admin: Promise<Admin> | null = null;
  #autoscaler: Promise<Autoscaler> | null = null;

  constructor(parts: AdminParts & { readonly release: () => Release }) {
    this.#parts = parts;
  }

  /** A configuration is in use from now on. */
  use({ admin: settings, resolved }: Release): void {
    if (settings !== null) this.#admin ??= this.#openAdmin();
    if (resolved.config.autoscale !== null) this.#autoscaler ??= this.#openAutoscaler();
    void this.#admin?.then((admin) => admin.use(settings));
  }

  /** To be called after each event. */
  observe(state: State): void {
    void this.#admin?.then((admin) => admin.observe(state));
    void this.#autoscaler?.then((autoscaler) => autoscaler.observe(state, performance.now()));
  }

  close(): void {
    void this.#admin?.then((admin) => admin.close());
  }

  async #openAdmin(): Promise<Admin> {
    const { Admin } = await import("../admin/admin.ts");
    return new Admin(this.#parts);
  }

  async #openAutoscaler(): Promise<Autoscaler> {
    const { Autoscaler } = await import("./scaling/autoscaler.ts");
    return new Autoscaler(this.#parts);
  }
}
