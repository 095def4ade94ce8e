/** Runs an app natively and under gunicorn-ts, and compares what both answer. */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { gunicorn, start, until } from "../support/server.ts";
import { type FrameworkApp, kinds, kindsOf } from "./framework-app.ts";
import { differences } from "./compare.ts";
import { needsPackages } from "./installed.ts";
import type { Observation } from "./observe.ts";
import { type Row, rows as commonRows } from "./requests.ts";

const appsFolder = join(import.meta.dir, "apps");

/** By name of the row. What an app does with a request may be not to answer: then it is the error's text. */
type Answers = ReadonlyMap<string, Observation | string>;

async function ask(port: number, rows: readonly Row[]): Promise<Answers> {
  const answers = new Map<string, Observation | string>();
  for (const { name, ask } of rows) {
    answers.set(name, await ask(port).catch((error: Error) => `no answer: ${error.message}`));
  }
  return answers;
}

/** The framework's own way: `bun app.ts`, on the port of the environment. */
async function native(app: FrameworkApp, rows: readonly Row[]): Promise<Answers> {
  const port = freePort();
  const env = { ...app.env, PORT: String(port), NODE_ENV: "production" };
  const cwd = join(appsFolder, app.folder ?? "");
  await using server = start({ program: app.file, bind: [], app: null, env, cwd });
  await until(`bun ${app.file} to listen; log:\n${server.log}`, () => isOpen(port), 150_000);
  return await ask(port, rows);
}

/** Runs a command of the packages installed here, by Bun. */
async function make({ folder = "", env = {} }: FrameworkApp, build: readonly string[]) {
  const [command, ...words] = build;
  const path = join(import.meta.dir, "node_modules/.bin", String(command));
  const making = Bun.spawn([process.execPath, path, ...words], {
    cwd: join(appsFolder, folder),
    env: { ...process.env, NODE_ENV: "production", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = await Promise.all([making.stdout.text(), making.stderr.text()]);
  if ((await making.exited) !== 0) throw new Error(`${command} has failed:\n${said.join("")}`);
}

/** Whether somebody listens there. */
export async function isOpen(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") return false;
    throw error;
  }
}

/** What is wrong with our answers, one text a request. */
function faults(
  rows: readonly Row[],
  known: readonly string[],
  native: Answers,
  ours: Answers,
  byServe: boolean,
): string[] {
  return rows.flatMap(({ name }) => {
    const [there, here] = [native.get(name)!, ours.get(name)!];
    const found =
      typeof there === "string" || typeof here === "string"
        ? [`${shown(there)} natively, ${shown(here)} here`].filter(() => there !== here)
        : differences(there, here, byServe);
    const isKnown = known.includes(name);
    if (isKnown && found.length === 0) return [`${name}: is like the native one by now`];
    return isKnown || found.length === 0 ? [] : [`${name}: ${found.join("; ")}`];
  });
}

function shown(answer: Observation | string): string {
  return typeof answer === "string" ? answer : `${answer.status} ${answer.body}`;
}

/** Rows to which the native app doesn't give what makes them worth comparing, and which the table doesn't say it lacks. */
function unfit(rows: readonly Row[], { lacks = [] }: FrameworkApp, native: Answers): string[] {
  return rows.flatMap(({ name, isAnswer }) => {
    const answer = native.get(name)!;
    const isFit = typeof answer !== "string" && isAnswer(answer);
    if (isFit !== lacks.includes(name)) return [];
    return [`${name}: ${isFit ? "the app doesn't lack it" : shown(answer)}`];
  });
}

/** The tests of apps, each with each of the worker classes that it is for. */
export function compareApps(apps: readonly FrameworkApp[]): void {
  describe.skipIf(needsPackages !== "").each(apps.map((app) => [app.name, app] as const))(
    `%s${needsPackages}`,
    (_name, app) => {
      const rows = (app.rows ?? commonRows).filter(({ name }) => app.skips?.[name] === undefined);
      let nativeAnswers: Promise<Answers> | null = null;
      const natively = () => (nativeAnswers ??= native(app, rows));
      const { build } = app;
      if (build !== undefined) {
        beforeAll(() => make(app, build), 300_000);
      }

      test("natively does what is compared", async () => {
        expect(unfit(rows, app, await natively())).toEqual([]);
      }, 240_000);

      const impossible = kinds.filter((kind) => app.not?.[kind] !== undefined);
      test.each(impossible)(
        "-k %s refuses it at the start",
        async (kind) => {
          await using server = start({
            app: app.file,
            args: ["-k", kind],
            cwd: join(appsFolder, app.folder ?? ""),
          });
          expect(await server.process.exited).toBe(4);
          expect(server.log).toContain(app.not![kind]!);
        },
        120_000,
      );

      test.each(kindsOf(app))(
        "-k %s answers as bun does, without a port of its own, and ends with 0",
        async (kind) => {
          const differs = Object.entries(app.differs ?? {});
          const known = differs.flatMap(([name, [on]]) => (on.includes(kind) ? [name] : []));
          const port = freePort();
          await using server = await gunicorn({
            app: app.file,
            args: ["-k", kind, "-w", "1"],
            env: { ...app.env, PORT: String(port) },
            cwd: join(appsFolder, app.folder ?? ""),
          });
          const byServe = kind === "serve" && app.isListener === true;
          const ours = await ask(server.port, rows);
          expect(faults(rows, known, await natively(), ours, byServe)).toEqual([]);
          expect(await isOpen(port)).toBe(false);
          expect(await server.stop()).toBe(0);
          if (app.hasPrivatePort !== true) expect(server.log).not.toContain("port of its own");
          expect(server.log).not.toContain("graceful_timeout");
        },
        240_000,
      );
    },
  );
}
