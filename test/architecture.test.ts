/**
 * Which folder may import what, and the few rules that hold for every file. Each test collects all
 * offences, so that a failure lists them.
 */
import { describe, expect, test } from "bun:test";
import { dirname, join } from "node:path";

const root = join(import.meta.dir, "..");

/**
 * The rooms (folders below src), and whose files each may import besides its own; `types:config`: type imports only. A room
 * doesn't hold the rooms inside it.
 */
const rooms: Readonly<Record<string, string>> = {
  // index.ts, the public face, import-soon.ts, own-files.ts and version.ts.
  "": "api config log/custom types:tls",
  api: "types:config types:tls",
  os: "",
  "os/sockets": "os",
  "os/sockets/listening": "os os/sockets",
  "os/processes": "os os/sockets",
  net: "api os/sockets/socket-path.ts",
  "tls/pem": "api",
  tls: "api types:config config/tls-rules.ts net tls/pem",
  modules: "api log/lines",
  app: "types:api app/node config/worker-classes.ts http/page.ts modules",
  "app/routes": "app http/request/request.ts http/response/globals modules",
  "app/websocket": "log/lines",
  "app/node":
    "types:api app/captured-server.ts app/connection-cut.ts app/server.ts app/node/handles http/request",
  "app/node/handles":
    "types:api app/connection-cut.ts app/server.ts http/errors.ts http/limits.ts http/request http/response/globals/lazy-response.ts http/response/head/app-fields.ts http/response/head/trailers.ts",
  reload: "modules",

  config: "api config/settings config/values net",
  "config/settings": "api config config/values",
  "config/values": "api config/worker-classes.ts net",
  "config/sources": "api config config/values modules",

  http: "",
  "http/syntax": "http http/message net",
  "http/message": "http",
  "http/proxy": "http http/syntax net",
  "http/request": "http http/message http/syntax",
  "http/response/head": "http http/message types:http/response types:http/syntax",
  "http/response/globals": "http http/response/head http/syntax http/request",
  "http/response":
    "http http/syntax http/message http/request http/response/head http/response/globals",

  ipc: "types:api types:config types:control types:log log/lines os os/sockets types:tls",
  listen: "api net os os/sockets os/sockets/listening",

  "telemetry/traces": "api",
  telemetry: "api types:config log log/sinks net os os/sockets",
  "telemetry/metrics": "",
  log: "api types:config os/processes telemetry log/access log/custom log/lines log/python log/sinks",
  "log/access": "api types:config log/lines log/sinks",
  "log/custom": "api config log log/lines modules os",
  "log/lines": "api",
  "log/python": "api config log log/lines log/sinks net",
  "log/sinks": "api config log log/lines os telemetry",

  // Between the master and `ctl`: words, frames and places. Neither socket nor process.
  control: "api log/lines",

  // Pure, for the master and `ctl`.
  scaling: "",

  arbiter:
    "api arbiter/control arbiter/act types:arbiter/act/birth arbiter/act/configuration arbiter/act/master arbiter/decide config ipc listen log os/processes",
  // Pure: neither files, sockets and processes nor the clock.
  "arbiter/decide": "arbiter/decide/update/observe.ts ipc types:log types:scaling types:tls",
  "arbiter/decide/update": "arbiter/decide ipc types:log",
  "arbiter/admin":
    "api types:arbiter/act/apps types:arbiter/act/configuration arbiter/admin/page arbiter/control arbiter/decide config control http/request http/response http/response/head http/syntax ipc listen log net os os/processes os/sockets telemetry/metrics tls tls/pem",
  "arbiter/admin/page": "types:arbiter/admin arbiter/decide ipc",
  "arbiter/act":
    "api types:arbiter/control arbiter/admin arbiter/act/apps arbiter/act/birth arbiter/act/configuration arbiter/act/master arbiter/act/scaling arbiter/decide arbiter/decide/update config ipc listen log os os/processes types:telemetry types:tls",
  "arbiter/act/apps": "arbiter/act/birth arbiter/decide ipc log telemetry/metrics",
  "arbiter/act/scaling":
    "arbiter/decide arbiter/decide/update config types:listen os os/processes scaling",
  "arbiter/act/configuration":
    "api arbiter/control arbiter/act/master arbiter/admin arbiter/decide config config/sources ipc listen log net/secure-addresses.ts os/processes reload types:scaling tls",
  "arbiter/act/birth":
    "types:api types:arbiter/act/configuration types:arbiter/act/master arbiter/act/master/environment.ts types:arbiter/decide config ipc os os/processes os/sockets types:tls",
  "arbiter/act/master": "types:api arbiter/decide types:config ipc listen log os os/processes",

  "arbiter/control":
    "api arbiter/act/scaling arbiter/decide config control ipc types:listen log os os/sockets os/sockets/listening scaling",

  worker: "ipc worker/classes worker/life",
  "worker/life":
    "api app app/routes app/websocket config config/sources ipc log modules net os os/processes os/sockets os/sockets/listening reload types:tls worker/classes worker/dump worker/exchange worker/overload worker/records worker/traces",
  // Imported when somebody asks.
  "worker/dump": "control types:ipc types:log log/lines os/sockets",
  "worker/tls":
    "types:api types:app http http/proxy http/response http/response/head log/lines os/sockets types:tls worker/connection",
  "worker/classes":
    "api app app/routes types:app/websocket config http types:http/proxy http/proxy/proxy-protocol.ts http/request http/response/globals http/response/head ipc log log/lines modules net os/sockets os/sockets/listening worker/classes/serve worker/connection worker/exchange worker/overload worker/records worker/tls worker/upgrades",
  "worker/classes/serve":
    "api app app/routes config http/syntax modules net types:tls types:worker/classes",
  "worker/upgrades":
    "types:api app types:app/node app/websocket types:http http/request types:http/syntax os/sockets worker/connection worker/exchange worker/records",
  "worker/connection":
    "types:api app types:config http http/message http/proxy http/request http/response http/response/head http/syntax ipc net worker/exchange",
  "worker/exchange":
    "api app http http/message http/proxy http/request http/response http/response/globals http/response/head http/syntax ipc log log/lines worker/records",
  "worker/traces":
    "api types:app types:config http/syntax ipc log/access log/lines telemetry/traces worker/exchange worker/records",
  "worker/overload": "api types:config ipc log/access worker/exchange",
  "worker/records":
    "api app http http/proxy http/request http/response/globals http/syntax ipc log log/access",

  cli: "api arbiter arbiter/act/apps arbiter/act arbiter/act/birth arbiter/act/configuration arbiter/act/master arbiter/control/check-place.ts arbiter/decide/certificates.ts app cli/build cli/ctl config config/sources http/syntax ipc listen log log/sinks modules/own-package.ts net os os/processes os/sockets os/sockets/listening reload tls",
  "cli/build": "api cli/explain-option.ts config/worker-classes.ts ipc/exit-codes.ts modules os",
  // A client: nothing of the server is read for it.
  "cli/ctl":
    "api cli/explain-option.ts config/settings.ts control ipc/exit-codes.ts log/lines modules/nearest.ts os os/sockets/listening scaling",
};

const forAll = new Set(["src/import-soon.ts", "src/own-files.ts", "src/version.ts"]);

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** Static, re-exporting and dynamic imports of a source text. */
function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const statics =
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w$\s{},*]+?\sfrom\s+|[{][\w$\s,]*[}]\s*from\s+)?["']([^"']+)["']/gm;
  const dynamics = /\bimport\(\s*["'`]([^"'`]+)["'`]/g;
  return [
    ...[...code.matchAll(statics)].map(([, type, specifier = ""]) => ({
      specifier,
      typeOnly: type !== undefined,
    })),
    ...[...code.matchAll(dynamics)].map(([, specifier = ""]) => ({ specifier, typeOnly: false })),
  ];
}

/** `arbiter/decide` of `src/arbiter/decide/plan.ts`; empty for a file of src itself. */
function roomOf(path: string): string {
  return dirname(path).replace(/^src\/?/, "");
}

function isAllowed(path: string, target: string, typeOnly: boolean): boolean {
  if (path.startsWith("bin/")) return target.startsWith("src/cli/") || target === "src/index.ts";
  const to = roomOf(target);
  if (roomOf(path) === to || forAll.has(target)) return true;
  const allowed = (rooms[roomOf(path)] ?? "").split(" ");
  const names = [to, target.replace(/^src\//, ""), ...(typeOnly ? [`types:${to}`] : [])];
  return names.some((name) => allowed.includes(name));
}

/** What is wrong with the imports of a file, whose path is relative to the project. */
function offencesOf(path: string, source: string): string[] {
  return importsOf(source).flatMap(({ specifier, typeOnly }) => {
    if (specifier === "bun:ffi")
      return path.startsWith("src/os/") ? [] : [`${path} imports bun:ffi`];
    if (!specifier.startsWith(".")) return [];
    // The admin page's parts are texts.
    if (!/\.(ts|json|html|css)$|\/page\.js$/.test(specifier))
      return [`${path} imports ${specifier} without .ts`];
    const target = join(dirname(path), specifier);
    if (!target.startsWith("src/") || !target.endsWith(".ts")) return [];
    return isAllowed(path, target, typeOnly) ? [] : [`${path} imports ${target}`];
  });
}

/** A way from a file back to itself along imports, or null. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== null) return cycle;
    }
    done.add(path);
    return null;
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** Texts by path. */
async function readSources(...folders: readonly string[]): Promise<Map<string, string>> {
  const glob = new Bun.Glob(`{${folders.join(",")}}/**/*.ts`);
  const paths = [...glob.scanSync({ cwd: root })].filter((path) => !path.includes("node_modules"));
  paths.sort();
  const texts = await Promise.all(paths.map((path) => Bun.file(join(root, path)).text()));
  return new Map(paths.map((path, index) => [path, texts[index] ?? ""]));
}

describe("the sources", () => {
  test("import along the table only", async () => {
    const sources = await readSources("src", "bin");
    expect(sources.size).toBeGreaterThan(0);
    expect([...sources].flatMap(([path, source]) => offencesOf(path, source))).toEqual([]);
  });

  test("live in the rooms of the table, and none is empty", async () => {
    const found = new Set([...(await readSources("src")).keys()].map(roomOf));
    expect([...found].sort()).toEqual(Object.keys(rooms).sort());
  });

  test("live in rooms that src/README.md tells of, each in a row", async () => {
    const text = await Bun.file(join(root, "src/README.md")).text();
    const told = [...text.matchAll(/^\| `([\w/]+)` /gm)].map(([, room = ""]) => room);
    const named = Object.keys(rooms).filter((room) => room !== "");
    expect(told.toSorted()).toEqual(named.toSorted());
  });

  test("stand in rooms that are taken in at a glance: 14 files at most", async () => {
    const counts = new Map<string, number>();
    for (const room of [...(await readSources("src")).keys()].map(roomOf))
      counts.set(room, (counts.get(room) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 14)).toEqual([]);
  });

  test("never import each other in a circle, types included", async () => {
    const sources = await readSources("src", "bin", "bench");
    const graph = new Map(
      [...sources].map(([path, source]) => [
        path,
        importsOf(source)
          .filter(({ specifier }) => specifier.startsWith("."))
          .map(({ specifier }) => join(dirname(path), specifier)),
      ]),
    );
    expect(findCycle(graph)).toBeNull();
  });

  test("decide without asking the system: no clock, no chance, no process", async () => {
    const sources = await readSources("src/arbiter/decide");
    const asks = /\b(?:process|performance|Bun|Date|Math\.random|setTimeout|setInterval)\b\s*[.(]/;
    const offences = [...sources].filter(([, source]) => asks.test(withoutComments(source)));
    expect(offences.map(([path]) => path)).toEqual([]);
  });

  test("have at most 400 lines; those above 300 are named, since two ideas may be in them", async () => {
    const sources = await readSources("src", "bin", "bench");
    const sizes = [...sources].map(([path, source]) => ({
      path,
      lines: source.split("\n").length - 1,
    }));
    const long = sizes.filter(({ lines }) => lines > 300);
    for (const { path, lines } of long) process.stderr.write(`${path}: ${lines} lines\n`);
    expect(long.filter(({ lines }) => lines > 400)).toEqual([]);
  });
});

describe("the checker", () => {
  const rows: [claim: string, path: string, source: string, offences: number][] = [
    ["knows a forbidden folder", "src/arbiter/a.ts", `import { x } from "../worker/x.ts";`, 1],
    ["knows a forbidden type", "src/worker/a.ts", `import type { X } from "../arbiter/x.ts";`, 1],
    ["knows a dynamic import", "src/arbiter/a.ts", `await import("../cli/main.ts");`, 1],
    ["knows a re-export", "src/http/a.ts", `export { x } from "../os/x.ts";`, 1],
    ["knows a re-export of all", "src/http/a.ts", `export * from "../os/x.ts";`, 1],
    ["knows an import for its effect", "src/http/a.ts", `import "../os/x.ts";`, 1],
    [
      "knows an import of several lines",
      "src/app/a.ts",
      `import {\n  x,\n  type Y,\n} from "../os/x.ts";`,
      1,
    ],
    ["counts each offence", "src/os/a.ts", `import "../app/a.ts";\nimport "../log/b.ts";`, 2],
    ["refuses values of config in ipc", "src/ipc/a.ts", `import { x } from "../config/x.ts";`, 1],
    ["takes types of config in ipc", "src/ipc/a.ts", `import type { X } from "../config/x.ts";`, 0],
    ["takes errors in listen", "src/listen/a.ts", `import { E } from "../api/errors.ts";`, 0],
    ["takes a file that is named", "src/net/a.ts", `import "../os/sockets/socket-path.ts";`, 0],
    ["refuses the file beside it", "src/net/a.ts", `import "../os/sockets/socket.ts";`, 1],
    [
      "refuses listeners in worker/life",
      "src/worker/life/a.ts",
      `import "../../listen/listeners.ts";`,
      1,
    ],
    [
      "refuses the system in arbiter/decide",
      "src/arbiter/decide/a.ts",
      `import { x } from "../../os/x.ts";`,
      1,
    ],
    ["refuses the room around it", "src/http/syntax/a.ts", `import "../response/x.ts";`, 1],
    ["refuses cli everywhere", "src/log/a.ts", `import "../cli/main.ts";`, 1],
    ["refuses worker in cli", "src/cli/a.ts", `import "../worker/main.ts";`, 1],
    ["refuses all but cli in bin", "bin/a.ts", `import "../src/arbiter/main.ts";`, 1],
    ["takes cli in bin", "bin/a.ts", `import { main } from "../src/cli/main.ts";`, 0],
    ["takes the own room", "src/worker/life/a.ts", `import "./worker.ts";`, 0],
    ["refuses bun:ffi outside os", "src/listen/a.ts", `import { ptr } from "bun:ffi";`, 1],
    ["takes bun:ffi in os", "src/os/a.ts", `import { ptr } from "bun:ffi";`, 0],
    ["wants .ts", "src/os/a.ts", `import { x } from "./libc";`, 1],
    ["takes packages", "src/cli/a.ts", `import { x } from "citty";`, 0],
    ["reads no comments", "src/http/a.ts", `// import "../os/x.ts";\n/* import "../os/x.ts" */`, 0],
    ["reads no text", "src/http/a.ts", `export const x =\n  "../os/x.ts";`, 0],
  ];
  test.each(rows)("%s", (_claim, path, source, offences) => {
    expect(offencesOf(path, source)).toHaveLength(offences);
  });

  test("finds a circle, and none in a diamond", () => {
    const circle = { a: ["b"], b: ["c"], c: ["b"] };
    expect(findCycle(new Map(Object.entries(circle)))).toEqual(["b", "c", "b"]);
    const diamond = { a: ["b", "c"], b: ["d"], c: ["d"], d: [] };
    expect(findCycle(new Map(Object.entries(diamond)))).toBeNull();
  });
});
