/** The package as it would be published: what is in it, and what a user runs of it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { tarballFinding } from "../../.ci/release-rules.ts";
import { anchorOf } from "../../docs/site/pages.ts";
import { bunInstall, install } from "../support/packaging/package.ts";
import { gunicorn, until } from "../support/server.ts";

const app = `export const fetch = () => new Response("hello");`;

/** Where the package is installed, with an app. */
const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
const place = join(folder, "node_modules/gunicorn-ts");

let tarball = "";

beforeAll(async () => {
  tarball = await install(folder);
  writeFileSync(join(folder, "hello.ts"), app);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Paths in the package. */
function packed(pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: place, dot: true })].sort();
}

test("the package has what runs, its types and what users read, below 400 kB; no tests, no bench", () => {
  // bun add's own.
  const files = packed("**/*").filter((file) => file !== ".bun-tag");
  expect(tarballFinding(statSync(tarball).size, files).complaints).toEqual([]);
});

test("what the programs of the bundle share has one hash in its names, and all that is imported is there", () => {
  const names = packed("dist/**/*.js");
  const imports = names.flatMap((name) => {
    const code = readFileSync(join(place, name), "utf8");
    return [...code.matchAll(/"(\.\.?\/[^"]+\.js)"/g)].map(([, path = ""]) =>
      join(name, "..", path),
    );
  });
  const shared = names.filter((name) => /^dist\/[\w-]+-\w{8}-\d+\.js$/.test(name));
  expect(new Set(shared.map((name) => name.split("-").at(-2))).size).toBe(1);
  expect(names.filter((name) => !shared.includes(name) && dirname(name) === "dist")).toEqual([
    "dist/index.js",
  ]);
  expect(imports.length).toBeGreaterThan(shared.length);
  expect(imports.filter((name) => !names.includes(name))).toEqual([]);
});

/** What stays in the checkout: how the server is made, measured and tested. A paragraph or row that leads there says so. */
const onlyInCheckout = /^(docs\/(benchmarking|design|releasing)\.md|src\/README\.md)$/;

/** Whether a link of a page leads to nothing in the package. `part` is the paragraph or the row that has it. */
function isDead(page: string, part: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return false;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (onlyInCheckout.test(target)) return !/\bcheckout\b/.test(part);
  if (!existsSync(join(place, target))) return true;
  if (anchor === undefined) return false;
  const headings = readFileSync(join(place, target), "utf8").matchAll(/^#+ (.*)$/gm);
  return ![...headings].some(([, heading = ""]) => anchorOf(heading) === anchor);
}

function deadLinks(page: string): string[] {
  const text = readFileSync(join(place, page), "utf8").replace(/^(`{3,})[\s\S]*?^\1$/gm, "");
  return text.split(/\n\n|\n(?=\|)/).flatMap((part) => {
    const links = [...part.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    return links.filter((link) => isDead(page, part, link));
  });
}

test("no link of a page in the package is dead", () => {
  const dead = packed("**/*.md").flatMap((page) => deadLinks(page).map((link) => [page, link]));
  expect(dead).toEqual([]);
});

test("pages name no file of examples that isn't in the package", () => {
  const named = packed("**/*.md").flatMap((page) => {
    const text = readFileSync(join(place, page), "utf8");
    return [...text.matchAll(/\bexamples\/[\w./@-]*\w/g)].map(([name]) => [page, name] as const);
  });
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter(([, name]) => !existsSync(join(place, name)))).toEqual([]);
});

const { version } = (await import("../../package.json")).default;

test.each([
  [["--version"], `gunicorn-ts (version ${version})\n`],
  [["--check-config", "hello:fetch"], ""],
  [["--request", "GET /", "hello:fetch"], "\nhello"],
] as const)(
  "bunx gunicorn-ts %j",
  async (words, answer) => {
    const command = [process.execPath, "x", "--no-install", "gunicorn-ts", ...words];
    await using run = Bun.spawn(command, {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(await run.stdout.text()).toEndWith(answer);
    expect(await run.exited).toBe(0);
  },
  120_000,
);

test("what examples/deploy/Dockerfile copies before it installs suffices, also where the package is a tarball", async () => {
  const lines = readFileSync(join(place, "examples/deploy/Dockerfile"), "utf8").split("\n");
  const at = lines.findIndex((line) => line.startsWith("RUN bun install "));
  const [, patterns = ""] = /^COPY (.*) \.\/$/.exec(lines[at - 1] ?? "") ?? [];
  const image = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  for (const pattern of patterns.split(" "))
    for (const file of new Bun.Glob(pattern).scanSync(folder))
      cpSync(join(folder, file), join(image, file));
  await bunInstall(image, lines[at]?.split(" ").slice(2) ?? []);
  expect(existsSync(join(image, "node_modules/gunicorn-ts/package.json"))).toBe(true);
  rmSync(image, { recursive: true });
}, 120_000);

test("a configuration file of a folder without packages imports the server that runs", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  const config = `import { defineConfig, log } from "gunicorn-ts";
export default defineConfig({ workers: 2, postFork: () => log.info("forked, and told") });`;
  writeFileSync(join(elsewhere, "site.ts"), config);
  await using server = await gunicorn({
    folder: elsewhere,
    program: join(place, "bin/gunicorn-ts.ts"),
    args: ["-c", "site.ts", "--chdir", folder],
    app: "hello:fetch",
  });
  await server.settled(2);
  // A line may still be on its way.
  await server.logged(/(?:\[INFO\] forked, and told\n[^]*){2}/);
  expect(server.log.match(/\[INFO\] forked, and told\n/g)).toHaveLength(2);
  expect(await (await fetch(server.url)).text()).toBe("hello");
  expect(await server.stop()).toBe(0);
}, 120_000);

test("it serves by bunx, with a configuration that imports it, and obeys HUP, TTIN, TTOU and TERM", async () => {
  const ownFolder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  cpSync(folder, ownFolder, { recursive: true, verbatimSymlinks: true });
  const config = `import { defineConfig } from "gunicorn-ts"; export default defineConfig({ workers: 3 });`;
  await using server = await gunicorn({
    folder: ownFolder,
    files: { "gunicorn.conf.ts": config },
    app: "hello:fetch",
    program: "gunicorn-ts",
    runtimeArgs: ["x"],
  });
  const before = await server.settled(3);
  server.kill("SIGHUP");
  await until("replaced", () => server.workers().every((pid) => !before.includes(pid)));
  await server.settled(3);
  server.kill("SIGTTIN");
  await server.settled(4);
  server.kill("SIGTTOU");
  await server.settled(3);
  expect(await (await fetch(server.url)).text()).toBe("hello");
  expect(await server.stop()).toBe(0);
}, 120_000);
