/** docs/from-gunicorn.md and docs/from-pm2.md: their commands run, their files load, and their names are there. */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderMigration } from "../../docs/generate.ts";
import { settingEntries } from "../../src/config/settings.ts";
import { gunicorn, program } from "../support/server.ts";

const root = join(import.meta.dir, "../..");

function read(name: string): string {
  return readFileSync(join(root, "docs", name), "utf8");
}

const pages = { gunicorn: read("from-gunicorn.md"), pm2: read("from-pm2.md") };

/** What the commands of the pages speak of. */
const files = {
  "app.ts": `export const fetch = () => new Response("hello");
export const createApp = (name: string) => () => new Response(name);`,
  "server.ts": `Bun.serve({ port: 3000, fetch: () => new Response("hello") });`,
  "settings.ts": `export const workers = 2;`,
  "my-worker.ts": `export class MyWorker { listen() {} windDown() {} async drain() {} }`,
};

/** Code within single backticks, of tables too, that begins as the pattern does. */
function codes(page: string, pattern: RegExp): string[] {
  const found = [...page.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code = ""]) => code);
  return [...new Set(found.filter((code) => pattern.test(code)))];
}

/** The code block whose first line is the comment with the file's name. */
function block(page: string, name: string): string {
  const [, text] = new RegExp("```\\w+\\n// " + name + "\\n([\\s\\S]*?)```").exec(page) ?? [];
  if (text === undefined) throw new Error(`no ${name} in the page`);
  return text.replaceAll(`"gunicorn-ts"`, JSON.stringify(join(root, "src/index.ts")));
}

/** Runs a command of a page by a shell, in a folder with these files; 0, and nothing on standard error, else it throws. */
async function run(command: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  try {
    for (const [name, text] of Object.entries({ ...files, ...more })) {
      writeFileSync(join(folder, name), text);
    }
    const words = command.replace("bunx gunicorn-ts", `${process.execPath} ${program}`);
    await using child = Bun.spawn(["sh", "-c", `exec env ${words}`], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, complaints] = [child.stdout.text(), child.stderr.text()];
    if ((await child.exited) !== 0) throw new Error(`${command}: ${await complaints}`);
    return await output;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const commands = Object.values(pages).flatMap((page) => codes(page, /bunx gunicorn-ts [^ ]/));

test("the pages have commands", () => {
  expect(commands.length).toBeGreaterThan(15);
});

test.each(commands)(
  "%s",
  async (command) => {
    if (command.includes("--request")) expect(await run(command)).toContain("200 OK");
    else await run(`${command.replace(/--check-config /, "")} --check-config`);
  },
  120_000,
);

test.each([
  ["gunicorn", { max_requests: "10000", accesslog: "-" }],
  ["pm2", { proc_name: "web", wsgi_app: "server.ts", graceful_timeout: "10" }],
] as const)(
  "the configuration file of the page for %s is one",
  async (page, values) => {
    const config = block(pages[page], "gunicorn.conf.ts").replaceAll("/var/log/web/", "");
    const app = page === "gunicorn" ? " app:fetch" : "";
    const printed = await run(`bunx gunicorn-ts --print-config${app}`, {
      "gunicorn.conf.ts": config,
    });
    for (const [name, value] of Object.entries(values)) {
      const line = new RegExp(`^${name} += (.*)$`, "m").exec(printed);
      expect([name, line?.[1]]).toEqual([name, expect.stringContaining(value)]);
    }
  },
  120_000,
);

test("the settings that the page for PM2 names are there", () => {
  const [, table = ""] = pages.pm2.split("| PM2 ").slice(1);
  const named = table.split("\n").flatMap((row) => {
    const [, , here = ""] = row.split("|");
    return [...here.matchAll(/`([a-z][A-Za-z]+)(?::[^`]*)?`/g)].map(([, name = ""]) => name);
  });
  const keys = new Set<string>([...settingEntries.map(([key]) => key), "startup", "shutdown"]);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !keys.has(name))).toEqual([]);
});

test("the signals that the page for PM2 sends do what it says", async () => {
  const sent = codes(pages.pm2, /^kill -[A-Z0-9]+ \$\(cat web\.pid\)$/);
  expect(sent.map((command) => command.split(" ")[1]).sort()).toEqual([
    "-HUP",
    "-QUIT",
    "-TERM",
    "-TTIN",
    "-USR1",
    "-USR2",
  ]);
  const send = async (signal: string, server: { readonly folder: string }): Promise<void> => {
    const command = sent.find((each) => each.includes(` -${signal} `)) ?? "false";
    expect(await Bun.spawn(["sh", "-c", command], { cwd: server.folder }).exited).toBe(0);
  };
  const options = { files, app: "server.ts", args: ["-w", "2", "-p", "web.pid"] };
  await using server = await gunicorn(options);
  await server.settled(2);
  await send("TTIN", server);
  await server.settled(3);
  await send("HUP", server);
  // It goes by `workers` again.
  await server.logged("Worker exiting");
  await server.settled(2);
  for (const signal of ["USR1", "USR2"]) {
    await send(signal, server);
    await server.logged(`Handling signal: ${signal.toLowerCase()}`);
  }
  await server.logged(
    "Listening at",
    await server.logged("Starting gunicorn-ts", await server.logged("Handling signal: usr2")),
  );
  await using other = await gunicorn(options);
  await send("QUIT", other);
  expect(await other.process.exited).toBe(0);
  await send("TERM", server);
  expect(await server.process.exited).toBe(0);
}, 120_000);

test("docs/from-gunicorn.md has the lists that the table of settings makes", () => {
  expect(renderMigration(pages.gunicorn)).toBe(pages.gunicorn);
});
