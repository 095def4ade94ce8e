/** What would be published, packed and installed as a user would, with a registry of this machine's. */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const root = join(import.meta.dir, "../../..");

/** What the tarball is made of and by. */
const sources = [
  ".ci",
  "LICENSE",
  "README.md",
  "bin",
  "bun.lock",
  "docs",
  "examples",
  "package.json",
  "src",
  "tsconfig.json",
  "tsconfig.types.json",
];

/** Some folders below have packages of their own, where a test or the site has wanted them. */
function isSource(path: string): boolean {
  return basename(path) !== "node_modules";
}

/** Packs the project and answers with the tarball's path, in `folder`. Of a copy: test files run side by side. */
export function pack(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), "gunicorn-ts-copy-"));
  try {
    for (const name of sources) {
      // With its times: what is newer than the last installation would be installed anew.
      const options = { recursive: true, preserveTimestamps: true, filter: isSource };
      cpSync(join(root, name), join(copy, name), options);
    }
    symlinkSync(realpathSync(join(root, "node_modules")), join(copy, "node_modules"));
    const words = ["pm", "pack", "--quiet", "--destination", folder];
    const run = Bun.spawnSync([process.execPath, ...words], { cwd: copy });
    const told = run.stdout.toString().trim();
    if (run.exitCode !== 0) throw new Error(`bun pm pack: ${run.stderr}${told}`);
    return join(folder, basename(told.split("\n").at(-1) ?? ""));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** A registry that has the packages of this project's node_modules. */
class InstalledPackages {
  readonly #server = Bun.serve({
    port: 0,
    fetch: ({ url }) => {
      const [name = "", wanted] = decodeURIComponent(new URL(url).pathname.slice(1)).split("/-/");
      const folder = join(root, "node_modules", name);
      return wanted === undefined ? this.#describe(folder, name) : archive(folder);
    },
  });

  constructor() {
    // It is there until the tests end, and doesn't keep them from it.
    this.#server.unref();
  }

  get url(): string {
    return this.#server.url.href;
  }

  #describe(folder: string, name: string): Response {
    const file = join(folder, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    const version = String(manifest["version"]);
    const dist = { tarball: `${this.url}${name}/-/${version}.tgz` };
    const versions = { [version]: { ...manifest, dist } };
    return Response.json({ name, "dist-tags": { latest: version }, versions });
  }
}

function archive(folder: string): Response {
  const words = ["-czf", "-", "--transform", "s,^[.],package,", "."];
  return new Response(Bun.spawnSync(["tar", ...words], { cwd: folder }).stdout);
}

/** Installs the tarball into a folder by `bun add`, and answers with its path. */
export async function install(folder: string): Promise<string> {
  const tarball = pack(folder);
  await bunInstall(folder, ["add", `./${basename(tarball)}`]);
  return tarball;
}

let registry: InstalledPackages | null = null;

/** Runs a command of Bun's that installs, with nothing in its cache. */
export async function bunInstall(folder: string, words: readonly string[]): Promise<void> {
  // One for all: lockfiles have its address.
  registry ??= new InstalledPackages();
  const cache = mkdtempSync(join(tmpdir(), "gunicorn-ts-cache-"));
  const run = Bun.spawn([process.execPath, ...words], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      BUN_INSTALL_CACHE_DIR: cache,
      BUN_CONFIG_REGISTRY: registry.url,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [code, told] = [await run.exited, await run.stderr.text()];
  rmSync(cache, { recursive: true });
  if (code !== 0) throw new Error(`bun ${words.join(" ")}: ${told}`);
}
