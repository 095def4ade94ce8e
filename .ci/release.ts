/**
 * `bun run release --dry-run` proves that what is in the checkout can be published, a line for each check, and ends with 1 if it
 * can't. `bun run release` prints the steps of docs/releasing.md. Neither publishes.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageFile from "../package.json";
import {
  changelogFinding,
  type Finding,
  stepsOf,
  tarballFinding,
  versionsFinding,
} from "./release-rules.ts";

const { version } = packageFile;
const root = join(import.meta.dir, "..");
const knip = "knip@6.44.2";

interface Place {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a command, and answers with its output; throws with what it said, if it fails. */
async function run(command: readonly string[], { cwd = root, env }: Place = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd,
    env: env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0)
    throw new Error(`${command.join(" ")}: ${(out + errors).trim().slice(-2000)}`);
  return out.trim();
}

function pages(): Record<string, string> {
  const names = ["README.md", ...new Bun.Glob("docs/*.md").scanSync(root)];
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name), "utf8")]));
}

/** A folder with links to these programs and to what any script needs, for a PATH on which nothing else is. */
function onlyPrograms(folder: string, programs: readonly string[]): string {
  const place = join(folder, "bin");
  mkdirSync(place);
  for (const program of ["sh", "env", ...programs]) {
    const path = Bun.which(program);
    if (path === null) throw new Error(`needs ${program} on PATH`);
    symlinkSync(path, join(place, program));
  }
  return place;
}

/** Installs the tarball into an empty folder, and asks what is installed for its version and for an app's answer. */
async function install(
  tarball: string,
  programs: readonly string[],
  [add, start]: readonly [readonly string[], readonly string[]],
): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-release-"));
  try {
    const env = { PATH: onlyPrograms(folder, programs), HOME: folder };
    const app = join(folder, "app");
    mkdirSync(app);
    writeFileSync(join(app, "hello.ts"), `export const fetch = () => new Response("hello");\n`);
    await run([...add, tarball], { cwd: app, env });
    const told = await run([...start, "--version"], { cwd: app, env });
    const answer = await run([...start, "--request", "GET /", "hello:fetch"], { cwd: app, env });
    const complaints = told.includes(version) ? [] : [`--version says ${told}`];
    if (!answer.endsWith("\nhello")) complaints.push(`GET / was answered with ${answer}`);
    return { found: "installed in an empty folder, and answers", complaints };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Check = readonly [name: string, check: () => Finding | Promise<Finding>];

/** By how a command ends. */
function passes(found: string, command: readonly string[]): () => Promise<Finding> {
  return async () => {
    await run(command);
    return { found, complaints: [] };
  };
}

function checks(folder: string): readonly Check[] {
  const tarball = join(folder, `gunicorn-ts-${version}.tgz`);
  const bun = process.execPath;
  return [
    [
      "git",
      async () => {
        const changed = await run(["git", "status", "--porcelain"]);
        const complaints = changed === "" ? [] : [`not committed:\n${changed}`];
        return { found: await run(["git", "log", "-1", "--format=%h %s"]), complaints };
      },
    ],
    [
      "versions",
      async () =>
        versionsFinding(pages(), {
          version,
          bun: packageFile.engines.bun.replace(">=", ""),
          told: await run([bun, "bin/gunicorn-ts.ts", "--version"]),
        }),
    ],
    ["changelog", () => changelogFinding(pages()["docs/changelog.md"] ?? "", version)],
    ["docs", passes("what is generated is fresh", [bun, "docs/generate.ts", "--check"])],
    ["knip", passes("nothing unused", [bun, "x", knip, "--no-progress"])],
    [
      "tarball",
      async () => {
        await run([bun, "pm", "pack", "--quiet", "--destination", folder]);
        const listed = await run(["tar", "-tzf", tarball]);
        const files = listed.split("\n").map((path) => path.replace(/^package\//, ""));
        return tarballFinding(statSync(tarball).size, files);
      },
    ],
    [
      "npm",
      () =>
        install(
          tarball,
          ["node", "npm", "npx"],
          [
            ["npm", "install", `bun@${packageFile.devDependencies.bun}`],
            ["npx", "gunicorn-ts"],
          ],
        ),
    ],
    [
      "bun",
      () =>
        install(
          tarball,
          ["bun"],
          [
            ["bun", "add"],
            ["bun", "x", "gunicorn-ts"],
          ],
        ),
    ],
  ];
}

async function dryRun(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-release-"));
  let failed = 0;
  try {
    for (const [name, check] of checks(folder)) {
      const { found, complaints } = await Promise.resolve()
        .then(check)
        .catch((error: unknown) => ({ found: "", complaints: [(error as Error).message] }));
      failed += complaints.length > 0 ? 1 : 0;
      const lines = complaints.length === 0 ? [`ok    ${name}: ${found}`] : [];
      for (const complaint of complaints) lines.push(`FAIL  ${name}: ${complaint}`);
      process.stdout.write(`${lines.join("\n")}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.stdout.write(
    failed === 0 ? `${version} can be released: bun run release\n` : `${failed} checks failed\n`,
  );
  return failed === 0 ? 0 : 1;
}

async function main(words: readonly string[]): Promise<number> {
  if (words.length === 1 && words[0] === "--dry-run") return dryRun();
  if (words.length > 0) {
    process.stderr.write(`release: knows --dry-run only, got ${words.join(" ")}\n`);
    return 2;
  }
  const page = readFileSync(join(root, "docs/releasing.md"), "utf8");
  process.stdout.write(`${stepsOf(page, version)}\n`);
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
