/** What a load is: an app, and what is sent to it. */
import type { Traffic } from "../drivers/driver.ts";

/** What a server must have switched on for a load. */
export type Feature = "access log" | "statsD" | "TLS";

export interface Load {
  readonly name: string;
  readonly description: string;
  /** A file of bench/apps. */
  readonly app: string;
  readonly traffic: Traffic;
  readonly feature: Feature | null;
  /** The number of workers makes a difference to it, and `tune` runs it unasked. */
  readonly tuned: boolean;
  /** A count that is known to be bad for it: what `tune --verify` holds the recommended one against. */
  readonly badWorkers: "too many" | "one";
}
