/**
 * The corpus over real sockets. Its valid half is sent to ours, to Bun.serve and to node:http, all running the same app; each
 * difference must have its row in support/differential/table.ts. Its invalid half must be refused by ours as written.
 */
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddress } from "../../bench/byte-client.ts";
import { defaultLimits, readCorpus, run, type Case } from "../support/corpus.ts";
import type { Echo } from "../support/differential/app.ts";
import { talk, type Talk } from "../support/differential/client.ts";
import { table, type Difference, type Peer } from "../support/differential/table.ts";
import { linesOf, nextOf } from "../support/lines.ts";
import { gunicorn } from "../support/server.ts";
import { listItems } from "../support/markdown.ts";

setDefaultTimeout(120_000);

/** For one request; a server that says nothing in that time is silent, which no row expects. */
const boundMs = 30_000;
const parallel = 16;

const support = join(import.meta.dir, "../support");
const appText = readFileSync(join(support, "differential/app.ts"), "utf8");
const cases = readCorpus();
/** Servers have one configuration: cases that are valid under the default one. */
const valid = cases.filter(
  (row) => row.outcome === "accepted" && Object.keys(row.options).length === 0 && isAccepted(row),
);

function isAccepted({ bytes }: Case): boolean {
  const { error, requests } = run(bytes, []);
  return error === null && requests.length === 1 && requests[0]!.complete;
}

/** Bun's node:http is pinned with Bun; Node's is whichever stands on PATH. */
const nodePath = realNode();
const peers: readonly Peer[] = [
  "Bun.serve",
  "node:http on Bun",
  ...(nodePath === null ? [] : (["node:http on Node"] as const)),
];

class PeerServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;

  static async start(command: readonly string[]): Promise<PeerServer> {
    const process = Bun.spawn([...command], { stdio: ["pipe", "pipe", "inherit"] });
    return new PeerServer(process, Number(await nextOf(linesOf(process.stdout))));
  }

  constructor(process: Bun.Subprocess<"pipe", "pipe", "inherit">, port: number) {
    if (!(port > 0)) throw new Error("a peer that names no port");
    this.#process = process;
    this.port = port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
  }
}

/** The results in order, the work a few at a time. */
async function mapParallel<In, Out>(
  items: readonly In[],
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  let next = 0;
  const run = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  };
  await Promise.all(Array.from({ length: parallel }, run));
  return results;
}

describe("the valid half of the corpus", () => {
  /** What each server made of each valid case. */
  const made = new Map<Peer | "ours", readonly Made[]>();

  beforeAll(async () => {
    await using ours = await gunicorn({ files: { "app.ts": appText }, args: ["-k", "async"] });
    made.set("ours", await ask(ours));
    for (const peer of peers) {
      await using server = await PeerServer.start(commandOf(peer, ours.folder));
      made.set(peer, await ask(server));
    }
  });

  test("is answered by ours with what the corpus says", () => {
    expect(valid.length).toBeGreaterThanOrEqual(150);
    const wrong = valid.filter((row, index) => !isAsWritten(row, made.get("ours")![index]!));
    expect(wrong.map(nameOf)).toEqual([]);
  });

  test.each([
    ["whole", false],
    ["byte by byte", true],
  ])("is answered over TLS as without: %s", async (_form, bytewise) => {
    await using ours = await gunicorn({ files: { "app.ts": appText }, secure: true });
    expect(await ask(ours, bytewise)).toEqual([...made.get("ours")!]);
  });

  test.each(peers.map((peer) => [peer]))("differs on %s as explained", (peer) => {
    expect(compare(peer).unexplained).toEqual([]);
  });

  test("needs every row of the table", () => {
    const used = new Set(peers.flatMap((peer) => compare(peer).used));
    const applying = table.filter((row) => row.peers.some((peer) => peers.includes(peer)));
    expect(applying.filter((row) => !used.has(row)).map((row) => row.reason)).toEqual([]);
  });

  function compare(peer: Peer): { readonly unexplained: string[]; readonly used: Difference[] } {
    const unexplained: string[] = [];
    const used: Difference[] = [];
    for (const [index, row] of valid.entries()) {
      const [ours, theirs] = [made.get("ours")![index]!, made.get(peer)![index]!];
      const saying = differenceOf(ours, theirs);
      if (saying === null) continue;
      const reasons = table.filter((difference) => explains(difference, peer, saying, row));
      used.push(...reasons);
      if (reasons.length === 0)
        unexplained.push(`${nameOf(row)}: ${saying}: ${JSON.stringify({ ours, theirs })}`);
    }
    return { unexplained, used };
  }
});

function explains(difference: Difference, peer: Peer, saying: string, { bytes }: Case): boolean {
  return (
    difference.peers.includes(peer) &&
    difference.saying.includes(saying) &&
    difference.request.test(bytes.toString("latin1"))
  );
}

function commandOf(peer: Peer, folder: string): string[] {
  const file = (name: string) => join(support, `differential/${name}.ts`);
  if (peer === "Bun.serve") return [process.execPath, file("bun-serve")];
  if (peer === "node:http on Bun") return [process.execPath, file("node-http")];
  const stripped = join(folder, "peer.mjs");
  const source = readFileSync(file("node-http"), "utf8");
  writeFileSync(stripped, new Bun.Transpiler({ loader: "ts" }).transformSync(source));
  return [nodePath ?? "node", stripped];
}

async function ask(
  to: ServerAddress & { readonly port: number },
  bytewise = false,
): Promise<Made[]> {
  const talks = await mapParallel(valid, ({ bytes }) =>
    talk(to, bytes, { boundMs, untilClosed: false, bytewise }),
  );
  return talks.map((one) => madeOf(one, to.port));
}

function isAsWritten(row: Case, { says, echo }: Made): boolean {
  if (says !== "200" || echo === null) return false;
  const head = factOf(row, "head");
  if (!head.startsWith(`${echo.method} `)) return false;
  // A fetch Request has no body with GET and HEAD.
  return /^(GET|HEAD) /.test(head) || echo.body === btoa(factOf(row, "body"));
}

interface Made {
  /** A status, "closes" or "is silent". */
  readonly says: string;
  readonly echo: Echo | null;
}

function madeOf({ reply }: Talk, port: number): Made {
  if (reply.type !== "answer")
    return { says: reply.type === "closed" ? "closes" : "is silent", echo: null };
  const { status, echo } = reply;
  return { says: String(status), echo: echo && comparable(echo, port) };
}

/** With one spelling for paths, and without a port that the system chose or that is a scheme's own. */
function comparable({ url, host, ...echo }: Echo, port: number): Echo {
  const absolute = URL.parse(url.startsWith("/") ? `http://host${url}` : url);
  const path = absolute === null ? url : absolute.pathname + absolute.search;
  if (host === undefined) return { ...echo, url: path };
  const named = host.replace(`:${port}`, ":own").replace(/:(80|443)$/, "");
  return { ...echo, url: path, host: named };
}

/** What the peer does otherwise, in the table's words; null for nothing. */
function differenceOf(ours: Made, theirs: Made): string | null {
  if (theirs.says !== ours.says) return theirs.says;
  if (ours.echo === null || theirs.echo === null) return theirs.echo === ours.echo ? null : "echo";
  const [mine, other] = [ours.echo, theirs.echo];
  const keys = (["body", "headers", "host", "method", "url"] as const).filter(
    (key) => key in other && !Bun.deepEquals(mine[key], other[key]),
  );
  return keys.length === 0 ? null : keys.join(", ");
}

function nameOf({ file, name }: Case): string {
  return `${file}: ${name}`;
}

function factOf({ facts }: Case, key: string): string {
  return facts.find((fact) => fact.startsWith(`${key}: `))?.slice(key.length + 2) ?? "";
}

test("docs/http.md holds every reason of the table", () => {
  const text = readFileSync(join(import.meta.dir, "../../docs/http.md"), "utf8");
  const items = new Set(listItems(text));
  const wanted = table.map(({ peers, reason }) => `${peers.join(", ")}: ${reason}`);
  expect(wanted.filter((item) => !items.has(item))).toEqual([]);
});

describe.each([
  ["async", "TCP"],
  ["async", "TLS"],
  ["sync", "TCP"],
])("the invalid half of the corpus on %s over %s", (kind, transport) => {
  const invalid = cases.filter(({ outcome }) => outcome !== "accepted" && outcome !== "incomplete");
  const groups = Map.groupBy(invalid, (row) => settingsOf(row).join(" ") || "the defaults");
  const next = Buffer.from("GET /next HTTP/1.1\r\nHost: next\r\n\r\n");

  test.each([...groups])("is refused under: %s", async (_settings, rows) => {
    await using server = await gunicorn({
      files: { "app.ts": appText },
      secure: transport === "TLS",
      args: ["-k", kind, ...settingsOf(rows[0]!)],
    });
    const talks = await mapParallel(rows, ({ bytes }) =>
      talk(server, Buffer.concat([bytes, next]), { boundMs, untilClosed: true }),
    );
    const wrong = rows.flatMap((row, index) => {
      const { reply, rest } = talks[index]!;
      const right = reply.type === "answer" && reply.status === row.status && rest === "";
      return right ? [] : [`${nameOf(row)}: not ${row.status}: ${JSON.stringify(talks[index])}`];
    });
    expect(wrong).toEqual([]);
  });
});

/** The command line that gives a server the limits and options of a case. */
function settingsOf({ limits, options, trusted }: Case): string[] {
  const limit = (flag: string, value: number, usual: number) =>
    value === usual ? [] : [flag, String(value === Infinity ? 0 : value)];
  return [
    ...limit("--limit-request-line", limits.requestLine, defaultLimits.requestLine),
    ...limit("--limit-request-fields", limits.fields, defaultLimits.fields),
    ...limit("--limit-request-field_size", limits.fieldSize, defaultLimits.fieldSize),
    ...(options.permitUnconventionalMethod === true ? ["--permit-unconventional-http-method"] : []),
    ...(options.permitUnconventionalVersion === true
      ? ["--permit-unconventional-http-version"]
      : []),
    ...(options.casefoldMethod === true ? ["--casefold-http-method"] : []),
    ...(options.stripHeaderSpaces === true ? ["--strip-header-spaces"] : []),
    ...(options.permitObsoleteFolding === true ? ["--permit-obsolete-folding"] : []),
    ...((options.headerMap ?? "drop") === "drop" ? [] : ["--header-map", options.headerMap ?? ""]),
    ...((options.forwarderHeaders ?? []).length === 0
      ? []
      : ["--forwarder-headers", options.forwarderHeaders!.join()]),
    ...(trusted ? ["--forwarded-allow-ips", "*"] : []),
  ];
}

/** Node itself: where it isn't installed, `bun run` puts itself on PATH under its name. */
function realNode(): string | null {
  const path = Bun.which("node");
  if (path === null) return null;
  const { stdout } = Bun.spawnSync([path, "-p", "process.versions.bun === undefined"]);
  return stdout.toString().trim() === "true" ? path : null;
}
