/** `ctl top`: the workers as they are now, with rates from one look to the next. */
import { writeFully } from "../../os/write-fully.ts";
import type { Client, Data } from "./client.ts";
import { listOf, text } from "./layouts.ts";
import { showBytes, showSeconds, table } from "./table.ts";

/** One look at a server. */
export interface Sample {
  readonly atMs: number;
  readonly stats: Data;
  readonly workers: readonly Data[];
}

/** By what workers are sorted, and the order in which the key `s` goes through it. */
const sorts = ["slot", "rate", "in_flight", "connections", "memory_bytes"] as const;
export type Sort = (typeof sorts)[number];

export interface View {
  readonly columns: number;
  readonly rows: number;
  readonly sort: Sort;
}

const intervalMs = 1000;

export async function takeSample(client: Client): Promise<Sample> {
  const stats = await client.ask(["show", "stats"]);
  const { workers } = await client.ask(["show", "workers"]);
  return { atMs: performance.now(), stats, workers: listOf(workers) };
}

/** Two looks, a second apart, where there is no terminal to draw on. */
export async function showOnce(client: Client): Promise<{ data: Data; shown: string }> {
  const before = await takeSample(client);
  await Bun.sleep(intervalMs);
  const now = await takeSample(client);
  const everything = { columns: Infinity, rows: Infinity, sort: "slot" } as const;
  const shown = renderTop(now, before, everything).map((line) => `${line}\n`);
  return { data: { stats: now.stats, workers: now.workers }, shown: shown.join("") };
}

/** The lines of a screen, none wider or further down than it. Pure. */
export function renderTop(now: Sample, before: Sample | null, view: View): string[] {
  const { stats } = now;
  const rates = now.workers.map((worker) => rateOf(worker, now, before));
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  const order = now.workers
    .map((worker, at) => ({ worker, rate: rates[at] ?? 0 }))
    .sort((one, other) => compare(one, other, view.sort));
  const rows = order.map(({ worker, rate }) => [
    text(worker["slot"]),
    text(worker["pid"]),
    `${text(worker["state"])}${worker["tired"] === true ? ", tired" : ""}`,
    rate.toFixed(1),
    text(worker["in_flight"]),
    text(worker["connections"]),
    showBytes(worker["memory_bytes"]),
    showSeconds(worker["serving"]),
  ]);
  const heads = ["SLOT", "PID", "STATE", "REQ/S", "BUSY", "CONNS", "MEMORY", "SERVING"];
  const lines = [
    `${text(stats["state"])}${stats["draining"] === true ? ", draining" : ""}, up ${showSeconds(stats["uptime"])}, ` +
      `${text(stats["workers_ready"])} of ${text(stats["workers_target"])} workers ready, generation ${text(stats["generation"])}`,
    `${total.toFixed(1)} requests/s, ${text(stats["in_flight"])} in flight, ${text(stats["connections"])} connections, ${showBytes(stats["memory_bytes"])}`,
    "",
    ...table(heads, rows).trimEnd().split("\n"),
  ];
  const fitting = lines.length > view.rows ? lines.slice(0, view.rows - 1) : lines;
  const left = lines.length - fitting.length;
  const all = left > 0 ? [...fitting, `... ${left} more`] : fitting;
  return all.map((line) => line.slice(0, view.columns));
}

export function nextSort(sort: Sort): Sort {
  return sorts[(sorts.indexOf(sort) + 1) % sorts.length] ?? "slot";
}

/** Draws until `q` or Ctrl-C. Throws what the client does. */
export async function drawTop(client: Client): Promise<void> {
  const { stdin } = process;
  const quit = Promise.withResolvers<"quit">();
  let sort: Sort = "slot";
  let [before, now]: [Sample | null, Sample] = [null, await takeSample(client)];
  const draw = () => {
    // A terminal that doesn't know its size has none, or 0.
    const columns = process.stdout.columns || 80;
    const rows = process.stdout.rows || 24;
    const keys = `q quits, s sorts: ${sort.replace("_bytes", "").replace("_", " ")}`;
    const view = { columns, rows: Math.max(1, rows - 2), sort };
    const lines = [...renderTop(now, before, view), keys.slice(0, columns)];
    writeFully(1, `\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
  };
  const onKey = (bytes: Buffer) => {
    const key = bytes.toString("latin1");
    if (key.includes("q") || key.includes("\x03")) quit.resolve("quit");
    if (!key.includes("s")) return;
    sort = nextSort(sort);
    draw();
  };
  // Another screen, and no cursor.
  writeFully(1, "\x1b[?1049h\x1b[?25l");
  stdin.setRawMode(true);
  stdin.on("data", onKey);
  process.stdout.on("resize", draw);
  try {
    for (;;) {
      draw();
      if ((await Promise.race([Bun.sleep(intervalMs), quit.promise])) === "quit") return;
      [before, now] = [now, await takeSample(client)];
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    writeFully(1, "\x1b[?25h\x1b[?1049l");
  }
}

/** Requests in a second since the look before; a worker that is new has answered all of its own since then. */
function rateOf(worker: Data, now: Sample, before: Sample | null): number {
  if (before === null || now.atMs <= before.atMs) return 0;
  const earlier = before.workers.find(({ age }) => age === worker["age"]);
  const answered = Number(worker["requests"]) - Number(earlier?.["requests"] ?? 0);
  return Math.max(0, answered) / ((now.atMs - before.atMs) / 1000);
}

interface Row {
  readonly worker: Data;
  readonly rate: number;
}

/** The busiest first; by slot, as they are numbered. */
function compare(one: Row, other: Row, sort: Sort): number {
  const bySlot = Number(one.worker["slot"]) - Number(other.worker["slot"]);
  if (sort === "slot") return bySlot;
  const value = ({ worker, rate }: Row) => (sort === "rate" ? rate : Number(worker[sort]));
  return value(other) - value(one) || bySlot;
}
