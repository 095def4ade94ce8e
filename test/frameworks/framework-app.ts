/** What the tables of apps have of each; docs/apps.md is made of them. */
import type { Row } from "./requests.ts";

export const kinds = ["async", "serve", "sync"] as const;
export type Kind = (typeof kinds)[number];

export type Difference = readonly [kinds: readonly Kind[], reason: string];

export interface FrameworkApp {
  /** As its authors write it, with its major version where two are about. */
  readonly name: string;
  /** `bun FILE` is the native way to run it. */
  readonly file: string;
  /** Below apps/, where it is run; apps/ itself if left out. */
  readonly folder?: string;
  /** The words of the command that makes the file, of a package installed here; run in the app's folder. */
  readonly build?: readonly [command: string, ...words: string[]];
  /** Variables of its environment, when it is made and when it runs. */
  readonly env?: Readonly<Record<string, string>>;
  /** How the worker finds it, for docs/apps.md: the line of the file that says so. */
  readonly found: string;
  /** The packages that it is made of, those that docs/apps.md tells the versions of. */
  readonly packages?: readonly string[];
  /** Worker classes that refuse it at the start, with the sentence. */
  readonly not?: Partial<Readonly<Record<Kind, string>>>;
  /** Worker classes that it runs on without what it is made for, and why: they are left out. */
  readonly unsuited?: Partial<Readonly<Record<Kind, string>>>;
  /** Rows that the app doesn't do natively either: the answers are compared all the same. */
  readonly lacks?: readonly string[];
  /** Rows with another answer than the native one, each with the worker classes and the reason. */
  readonly differs?: Readonly<Record<string, Difference>>;
  /** Rows that nobody asks, and why. */
  readonly skips?: Readonly<Record<string, string>>;
  /** In place of those that all apps get. */
  readonly rows?: readonly Row[];
  /** It talks to a server of its own on a port that the system chooses, and the log warns of it. */
  readonly hasPrivatePort?: true;
  /** It stands on node:http. */
  readonly isListener?: true;
  /** What its users have to mind, for docs/apps.md. */
  readonly mind?: string;
}

/** The worker classes that it runs on. */
export function kindsOf({ not, unsuited }: FrameworkApp): readonly Kind[] {
  return kinds.filter((kind) => (not?.[kind] ?? unsuited?.[kind]) === undefined);
}
