/** The types that the package brings, as a user's compiler sees them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install } from "../support/packaging/package.ts";

const modules = join(import.meta.dir, "../../node_modules");

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));

beforeAll(async () => {
  writeFileSync(join(folder, "package.json"), `{ "name": "user", "type": "module" }`);
  await install(folder);
  mkdirSync(join(folder, "node_modules/@types/bun"), { recursive: true });
  // What the package @types/bun is.
  writeFileSync(
    join(folder, "node_modules/@types/bun/index.d.ts"),
    `/// <reference types="bun-types" />`,
  );
  for (const name of ["bun-types", "undici-types", "@types/node"]) {
    symlinkSync(join(modules, name), join(folder, "node_modules", name));
  }
  writeFileSync(join(folder, "user.ts"), user);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Something of all that the package exports, and mistakes that the types must find. */
const user = `
import { defineConfig, log, Logger } from "gunicorn-ts";
import type {
  BoundTo, Config, ConfigData, CustomLogger, Fetch, HookEnviron, HookRequest, HookServer, HookWorker,
  ListeningSocket, Log, Metric, RequestFacts, RequestHandler, RequestObserver, RequestRecord, ServedApp,
  ServerHooks, Serving, ServingClass, ServingContext, UserConfig, WorkerServer,
} from "gunicorn-ts";

export default defineConfig({
  bind: ["0.0.0.0:8000"],
  workers: "auto",
  maxMemory: "512M",
  workerClass: "./serving.ts:MyServing",
  whenReady: (server) => server.log.info("ready: " + server.numWorkers.toFixed()),
  postRequest(worker, request, _environ, response) {
    worker.log.info(request.request.url + " " + (response?.status ?? 0).toFixed());
  },
});

export class MyLogger extends Logger {
  override access(request: RequestRecord): void {
    log.info(request.target, { metric: "seen", value: 1, mtype: "counter" });
    super.access(request);
  }
}

export class MyServing implements Serving {
  constructor(private readonly context: ServingContext) {}
  listen(): void {
    for (const { bound } of this.context.listeners) log.info(bound.type === "tcp" ? bound.hostname : bound.path);
  }
  windDown(): void {}
  async drain(): Promise<void> {}
}

export const serving: ServingClass = MyServing;
export const timeoutOf = (config: Config): number => config.timeout;

export const hint = (request: Request, server: WorkerServer): boolean =>
  server.slot === 0 &&
  server.earlyHints(request, { link: "</a.css>" }) &&
  server.earlyHints(request, [["link", "</a.css>"]]) &&
  server.earlyHints(request, request.headers);

export type All = [
  BoundTo, ConfigData, CustomLogger, Fetch, HookEnviron, HookRequest, HookServer, HookWorker, ListeningSocket,
  Log, Metric, RequestFacts, RequestHandler, RequestObserver, ServedApp, ServerHooks, UserConfig,
];

// @ts-expect-error: not a number of workers
defineConfig({ workers: "many" });
// @ts-expect-error: no such setting
defineConfig({ wrokers: 2 });
// @ts-expect-error: no such property of a worker
defineConfig({ postWorkerInit: (worker) => worker.log.info(worker.name) });
// @ts-expect-error: not a text
export const wrong = (request: Request, server: WorkerServer) => server.earlyHints(request, { link: 5 });
// @ts-expect-error: not a number
log.info("", { metric: "seen", value: "1", mtype: "counter" });
`;

const strict = { strict: true, skipLibCheck: false };

/** What \`bun init\` writes. */
const bunInit = {
  lib: ["ESNext"],
  target: "ESNext",
  module: "Preserve",
  moduleDetection: "force",
  jsx: "react-jsx",
  allowJs: true,
  types: ["bun"],
  moduleResolution: "bundler",
  allowImportingTsExtensions: true,
  verbatimModuleSyntax: true,
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  noFallthroughCasesInSwitch: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
};

test.each([
  ["bun init", bunInit],
  ["bun init, all strict", { ...bunInit, ...strict, exactOptionalPropertyTypes: true }],
  ["Hono's template", { esModuleInterop: true, strict: true, jsx: "react-jsx" }],
  ["node16", { ...strict, module: "node16", moduleResolution: "node16", types: ["bun"] }],
  ["nodenext", { ...strict, module: "nodenext", moduleResolution: "nodenext", types: ["bun"] }],
  ["bundler", { ...strict, module: "esnext", moduleResolution: "bundler", types: ["bun"] }],
  ["node's types", { ...strict, module: "nodenext", lib: ["ES2022"], types: ["node"] }],
  ["a browser's types", { ...strict, module: "nodenext", lib: ["ES2022", "DOM"], types: [] }],
] as const)(
  "tsc has no complaint with the options of: %s",
  async (_, options) => {
    const config = { compilerOptions: options, files: ["user.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const run = Bun.spawn([process.execPath, "x", "tsc", "--noEmit"], {
      cwd: folder,
      env: { ...process.env, PATH: `${modules}/.bin:${process.env["PATH"]}` },
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(await run.stdout.text()).toBe("");
    expect(await run.exited).toBe(0);
  },
  120_000,
);
