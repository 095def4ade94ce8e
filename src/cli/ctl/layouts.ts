/** What people see of an answer. */
import type { CommandName } from "../../control/commands.ts";
import { escapeText } from "../../log/lines/escape.ts";
import type { Data } from "./client.ts";
import { showBytes, showSeconds, table } from "./table.ts";

export const layouts: Readonly<Record<CommandName, (data: Data) => string>> = {
  "show stats": stats,
  "show workers": ({ workers }) =>
    table(
      ["SLOT", "PID", "AGE", "GEN", "STATE", "SERVING", "REQUESTS", "BUSY", "CONNS", "MEMORY"],
      listOf(workers).map((worker) => [
        text(worker["slot"]),
        text(worker["pid"]),
        text(worker["age"]),
        text(worker["generation"]),
        `${text(worker["state"])}${worker["tired"] === true ? ", tired" : ""}`,
        showSeconds(worker["serving"]),
        text(worker["requests"]),
        text(worker["in_flight"]),
        text(worker["connections"]),
        showBytes(worker["memory_bytes"]),
      ]),
    ),
  "show requests": ({ workers, in_flight, requests }) => {
    const rows = listOf(workers).map((worker) => [
      text(worker["slot"]),
      text(worker["pid"]),
      text(worker["state"]),
      text(worker["in_flight"]),
      text(worker["connections"]),
      text(worker["requests"]),
      showSeconds(worker["last_heartbeat"]),
      text(worker["activity"] ?? "-"),
      ...newestRequest(worker["newest_request"]),
    ]);
    const heads = ["SLOT", "PID", "STATE", "IN FLIGHT", "CONNECTIONS", "ANSWERED", "HEARTBEAT"];
    heads.push("NOW", "FOR", "NEWEST REQUEST");
    return `${table(heads, rows)}\nIn flight: ${text(in_flight)}, answered: ${text(requests)}\n`;
  },
  "show listeners": ({ listeners }) =>
    table(
      ["ADDRESS", "TYPE", "FD"],
      listOf(listeners).map(({ address, type, fd }) => [text(address), text(type), text(fd)]),
    ),
  "show load": load,
  "show config": (data) => pairs(Object.entries(data).map(([name, value]) => [name, text(value)])),
  heap: written,
  profile: written,
  reload: () => "Reloading\n",
  reopen: () => "Log files are opened anew\n",
  "worker add": workers,
  "worker remove": workers,
  "worker kill": ({ killed }) => `Worker ${text(killed)} is told to leave\n`,
  "worker restart": ({ restarting }) => `Worker ${text(restarting)} is being replaced\n`,
  scale: workers,
  drain: () => "Draining: clients are told to go elsewhere\n",
  "log-level": ({ previous, level }) => `Log level: ${text(previous)} -> ${text(level)}\n`,
  upgrade: () => "A new master starts\n",
  shutdown: ({ mode }) => `Shutting down, ${text(mode)}\n`,
  help: ({ commands }) => {
    const rows = Object.entries(commands as Data);
    const width = Math.max(...rows.map(([usage]) => usage.length));
    return rows.map(([usage, what]) => `${usage.padEnd(width)}  ${text(what)}\n`).join("");
  },
};

/** How long it runs, and what it is. The text is a client's: it is shown as in the access log. */
function newestRequest(value: unknown): [string, string] {
  if (typeof value !== "object" || value === null) return ["-", "-"];
  const { method, path, age, answered } = value as Data;
  const line = `${escapeText(text(method))} ${escapeText(text(path))}`;
  return answered === true ? ["-", `${line}, answered`] : [showSeconds(age), line];
}

function stats(data: Data): string {
  const failed = data["reload_failed"] === true ? ["the last reload failed"] : [];
  const draining = data["draining"] === true ? ["draining"] : [];
  const resting = data["resting"] === true ? ["resting"] : [];
  const reload = data["reload"] === null ? [] : [text(data["reload"])];
  const ended = Object.entries(data["workers_ended"] as Data).filter(([, count]) => count !== 0);
  return pairs([
    ["State", [text(data["state"]), ...reload, ...resting, ...draining, ...failed].join(", ")],
    ["Uptime", showSeconds(data["uptime"])],
    ["PID", data["pid"]],
    ["New master", data["new_master"]],
    ["Generation", data["generation"]],
    ["Reloads", data["reloads"]],
    ["Workers current", data["workers_current"]],
    ["Workers ready", data["workers_ready"]],
    ["Workers target", data["workers_target"]],
    ["Autoscale", autoscale(data["autoscale"])],
    ["Workers spawned", data["workers_spawned"]],
    ["Workers ended", ended.map(([why, count]) => `${why} ${text(count)}`).join(", ") || "none"],
    ["Requests", data["requests"]],
    ["In flight", data["in_flight"]],
    ["Connections", data["connections"]],
    ["Memory", showBytes(data["memory_bytes"])],
  ]);
}

function autoscale(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const { min, max, paused } = value as Data;
  return `${text(min)}..${text(max)}${paused === true ? ", paused" : ""}`;
}

function load(data: Data): string {
  const rows = listOf(data["workers"]).map((worker) => [
    text(worker["slot"]),
    showTime(worker["cpu_seconds"]),
    showTime(worker["loop_delay"]),
    text(worker["in_flight"]),
    text(worker["connections"]),
    text(worker["requests"]),
    showBytes(worker["memory_bytes"]),
  ]);
  const heads = ["SLOT", "CPU TIME", "LOOP DELAY", "BUSY", "CONNS", "REQUESTS", "MEMORY"];
  return `${table(heads, rows)}\n${pairs([
    ["Workers target", data["workers_target"]],
    ["CPUs", data["cpus"]],
    ["Memory free", showBytes(data["memory_free_bytes"])],
    ["Backlog", data["backlog"]],
  ])}`;
}

/** `1.2 s`, `12 ms`, `0.4 ms`; a dash for what isn't known. */
export function showTime(seconds: unknown): string {
  if (typeof seconds !== "number") return "-";
  if (seconds > 0 && seconds < 0.01) return `${(1000 * seconds).toFixed(1)} ms`;
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}

function written({ pid, file, bytes }: Data): string {
  return `Worker ${text(pid)}: ${text(file)}, ${showBytes(bytes)}\n`;
}

function workers({ previous, total }: Data): string {
  return `Workers: ${text(previous)} -> ${text(total)}\n`;
}

/** Names and values, one a line; without those that are null. */
export function pairs(entries: readonly (readonly [string, unknown])[]): string {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${text(value)}`.trimEnd())
    .join("\n")
    .concat("\n");
}

export function listOf(value: unknown): readonly Data[] {
  return Array.isArray(value) ? (value as readonly Data[]) : [];
}

export function text(value: unknown): string {
  if (Array.isArray(value) && value.every((each) => typeof each === "string"))
    return value.join(", ");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "-");
}
