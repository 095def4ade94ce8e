import { describe, expect, test } from "bun:test";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Load } from "../support/loads/load.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";

function says(text: string, more = ""): string {
  return `${more}; export const fetch = () => new Response("${text}");`;
}

/** Saves as most editors do. */
function save(server: RunningServer, name: string, text: string): void {
  const path = join(server.folder, name);
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(server: RunningServer): Promise<Answer> {
  const response = await fetch(server.url, { keepalive: false });
  return { status: response.status, text: await response.text() };
}

/** Waits until a row of answers, from whatever workers, are all of that kind. */
async function answers(server: RunningServer, status: number, text: string): Promise<Answer> {
  let last: Answer | null = null;
  const row = Array.from({ length: 10 });
  await until(`answers ${status} with ${text}`, async () => {
    for (const _ of row) {
      // Workers of -k serve reset connections when they leave.
      last = await ask(server).catch(() => null);
      if (last?.status !== status || !last.text.includes(text)) return false;
    }
    return true;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; the last was ${Bun.inspect(last)}\n${server.log}`);
  });
  return last as unknown as Answer;
}

const classes = ["async", "serve"] as const;

describe.each(classes)("--reload with -k %s and 2 workers", (kind) => {
  const args = ["--reload", "-k", kind, "-w", "2"];

  test("takes up the app, what it imports, and extra files", async () => {
    await using server = await gunicorn({
      args: [...args, "--reload-extra-file", "pages/*.html"],
      files: {
        "app.ts": `import { word } from "./lib/word.ts"; import { readFileSync } from "node:fs";
          const page = readFileSync("pages/a.html", "utf8");
          export const fetch = () => new Response("one " + word + " " + page);`,
        "lib/word.ts": `export const word = "one";`,
        "pages/a.html": "one",
      },
    });
    await answers(server, 200, "one one one");
    await server.logged("[WARNING] Reloader is on. Use in development only!");
    let seen = server.log.length;
    save(server, "lib/word.ts", `export const word = "two";`);
    await answers(server, 200, "one two one");
    seen = await server.logged(/\[INFO\] Worker reloading: \/.*\/lib\/word\.ts modified/, seen);
    save(server, "pages/a.html", "three");
    await answers(server, 200, "one two three");
    seen = await server.logged(/Worker reloading: \/.*\/pages\/a\.html modified/, seen);
    save(server, "app.ts", says("four"));
    await answers(server, 200, "four");
    await server.logged(/Worker reloading: \/.*\/app\.ts modified/, seen);
    expect(await server.stop()).toBe(0);
  }, 120_000);

  const breakages: readonly (readonly [name: string, broken: string, shown: string])[] = [
    ["a syntax error", "export const fetch = (", "app.ts:1:"],
    ["an error at the import", `throw new Error("no <db>");`, "no &lt;db&gt;"],
    ["a missing export", "export const other = 1;", "exports &quot;other&quot; (number)"],
    ["a missing module", says("x", `import "./absent.ts"`), "./absent.ts"],
    ["a missing name", says("x", `import { b } from "./b.ts"; b()`), "named &#x27;b&#x27;"],
    ["a stray rejection", `Promise.reject(new Error("lost")); await Bun.sleep(1e8);`, "lost"],
  ];
  test.each(breakages)(
    "answers 500 about %s until it is mended",
    async (_name, broken, shown) => {
      const files = { "app.ts": says("sound"), "b.ts": "export const a = 1;" };
      await using server = await gunicorn({ args, files });
      await answers(server, 200, "sound");
      save(server, "app.ts", broken);
      await answers(server, 500, shown);
      save(server, "app.ts", says("mended"));
      await answers(server, 200, "mended");
      expect(await server.stop()).toBe(0);
    },
    120_000,
  );

  test("starts with a broken app, and serves when another file mends it", async () => {
    const app = says("mended", `import { name } from "./lib.ts"; import "./later.ts"; name`);
    const files = { "app.ts": app, "lib.ts": "export const other = 1;" };
    await using server = await gunicorn({ args, files });
    await answers(server, 500, "later.ts");
    save(server, "later.ts", "export {};");
    await answers(server, 500, "named &#x27;name&#x27;");
    save(server, "lib.ts", "export const name = 1;");
    await answers(server, 200, "mended");
    expect(await server.stop()).toBe(0);
  }, 120_000);
});

test("--reload loses no request", async () => {
  const app = (version: number) => says("ok", `console.error("loaded ${version}")`);
  await using server = await gunicorn({
    args: ["--reload", "-w", "2"],
    files: { "app.ts": app(0) },
  });
  const load = new Load({ port: server.port, fresh: 2, kept: 2, expected: "ok" });
  for (const version of [1, 2, 3, 4]) {
    save(server, "app.ts", app(version));
    await until("all apps", () => server.log.split(`loaded ${version}`).length >= 3);
    await until("the old ones gone", () => server.workers().length === 2);
    await load.more(200);
  }
  expect((await load.stop()).failures).toEqual([]);
  expect(await server.stop()).toBe(0);
}, 120_000);

test("--reload starts without the app's file, and serves when it is there", async () => {
  await using server = await gunicorn({ args: ["--reload"], app: "src/app:fetch" });
  await answers(server, 500, "No module named &#x27;src/app&#x27;");
  await Bun.write(join(server.folder, "src/app.ts"), says("here"));
  await answers(server, 200, "here");
}, 120_000);

test("--reload takes up a change that came while the app was loading", async () => {
  await using server = await gunicorn({ args: ["--reload"], files: { "app.ts": says("one") } });
  // Never, but for the change.
  const slow = `console.error("two loads"); await new Promise((resolve) => setTimeout(resolve, 1e8))`;
  save(server, "app.ts", says("two", slow));
  await server.logged("two loads");
  save(server, "app.ts", says("three"));
  await answers(server, 200, "three");
}, 120_000);

test("--reload gets out of an import that never ends", async () => {
  await using server = start({
    args: ["--reload"],
    files: {
      "app.ts": `console.error("waits"); await new Promise(() => setInterval(() => {}, 1e8));`,
    },
  });
  await server.logged("waits");
  save(server, "app.ts", says("on"));
  await answers(server, 200, "on");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("--reload-engine poll notices a change without the kernel's help", async () => {
  await using server = await gunicorn({
    args: ["--reload", "--reload-engine", "poll"],
    files: { "app.ts": says("one") },
  });
  appendFileSync(join(server.folder, "app.ts"), `export const other = 1;`);
  await server.logged(/Worker reloading: \/.*\/app\.ts modified/);
  save(server, "app.ts", says("two"));
  await answers(server, 200, "two");
}, 120_000);

test("a reload runs workerInt when the worker leaves, and reads the worker's hooks again", async () => {
  const config = (word: string) => `export default {
    postWorkerInit: () => console.error("init ${word}"),
    workerInt: (worker) => console.error("int ${word} of " + worker.pid),
  };`;
  await using server = await gunicorn({
    args: ["--reload"],
    files: { "app.ts": says("ok"), "gunicorn.conf.ts": config("one") },
  });
  await server.logged("init one");
  const [pid] = server.workers();
  save(server, "gunicorn.conf.ts", config("two"));
  await server.logged("init two");
  await server.logged(`int one of ${pid}`);
}, 120_000);

test("a pattern that matches nothing is told", async () => {
  await using server = await gunicorn({
    args: ["--reload", "--reload-extra-file", "*.none"],
    files: { "app.ts": says("ok") },
  });
  await server.logged(/\[WARNING\] Pattern \/.*\/\*\.none currently matches no files\./);
});

const refusals: readonly (readonly [words: readonly string[], error: string])[] = [
  [["--reload-engine", "kqueue"], "--reload-engine: must be auto, poll or inotify, got 'kqueue'"],
  [["--reload-extra-file", "none.txt"], "--reload-extra-file: File 'none.txt' doesn't exist"],
];
test.each(refusals)("%p is refused", async (args, error) => {
  await using server = start({ args, files: { "app.ts": says("ok") } });
  expect(await server.process.exited).toBe(1);
  await server.logged(error);
});

test("without --reload a broken app ends the server", async () => {
  await using server = start({ files: { "app.ts": "export const fetch = (" } });
  expect(await server.process.exited).toBe(3);
});
