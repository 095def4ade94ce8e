/** Configurations of TLS that nobody should serve with, and the one line that each is refused with. */
import { badChains, badFiles, badKeys } from "./files.ts";
import { badClients, badNames, badSettings } from "./settings.ts";
import type { Certificates } from "../certificates.ts";

export interface BadTls {
  readonly name: string;
  /** The settings, as gunicorn.conf.json has them. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** More of gunicorn.conf.ts: a hook, which JSON can't hold. */
  readonly hook?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the line begins with, behind the configuration file's name. */
  readonly says: string;
}

/** What most of them are made from. */
export type Stock = ReturnType<typeof stockOf>;

function stockOf(made: Certificates) {
  const root = made.make({ name: "Root", ca: true });
  const middle = made.make({ name: "Middle", ca: true, by: root });
  const good = made.make({ by: middle, names: ["DNS:*.example.org"] });
  return {
    made,
    root,
    middle,
    /** Signed by `middle`; its chain is in order. */
    good,
    other: made.make({ name: "other.test" }),
    oldMiddle: made.make({ name: "Old", ca: true, by: root, from: -20, until: -1 }),
    /** The settings of a pair that fits. */
    pair: { certfile: good.chainfile, keyfile: good.keyfile },
    absent: `${made.folder}/none.pem`,
    empty: made.file("empty.pem", ""),
    text: made.file("notes.txt", "hello\n"),
    cutChain: made.file("cut-chain.pem", good.chain.slice(0, -100)),
  };
}

export function badTls(made: Certificates): BadTls[] {
  const stock = stockOf(made);
  const kinds = [badFiles, badKeys, badChains, badClients, badNames, badSettings];
  return kinds.flatMap((kind) => kind(stock));
}

/** The configuration file of a row: `settings` and what follows it. */
export function configFileOf({ settings, hook = "" }: Pick<BadTls, "settings" | "hook">): string {
  const all = JSON.stringify({ bind: "127.0.0.1:0", ...settings });
  return `const settings = ${all};\n${hook}\nexport default settings;\n`;
}
