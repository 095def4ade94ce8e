/** One executable of Bun, the server's own files, and an app. */
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { workerClasses } from "../../config/worker-classes.ts";
import { parseReference } from "../../modules/reference.ts";
import { resolveModule } from "../../modules/resolve.ts";
import { builtAppFile, ownFile, ownFolder } from "../../own-files.ts";
import type { Asked } from "./words.ts";

export class BuildError extends Error {
  override readonly name = "BuildError";
}

/** What is run, or imported, by its place among the own files. */
const ownEntries: readonly string[] = [
  "cli/executable",
  "worker/main",
  "worker/life/preload",
  ...Object.values(workerClasses).map(({ code }) => code.source),
  "index",
];

const mode = "process.env.NODE_ENV";

/**
 * Writes the executable.
 * @param folder where its path and the app's module are seen from
 * @returns its size in bytes
 * @throws AppImportError for a module that there isn't
 * @throws BuildError with what the bundler says
 */
export async function compile({ app, outfile, target }: Asked, folder: string): Promise<number> {
  const entry = app === null ? null : entryOf(app, folder);
  const path = resolve(folder, outfile);
  try {
    // Made aside: what runs can't be written to, but another file can take its name. The bundler leaves a map beside it.
    const aside = mkdtempSync(join(dirname(path), ".gunicorn-ts-build-"));
    using _ = { [Symbol.dispose]: () => rmSync(aside, { recursive: true }) };
    await Bun.build({
      entrypoints: [...ownEntries, ...(entry === null ? [] : [builtAppFile])].map(ownFile),
      ...(entry === null ? {} : { files: { [ownFile(builtAppFile)]: entry } }),
      define: {
        ...(app === null ? {} : { GUNICORN_TS_APP: JSON.stringify(app) }),
        // What it is where the executable runs, not here.
        [mode]: mode,
      },
      root: ownFolder,
      target: "bun",
      format: "esm",
      splitting: true,
      bytecode: true,
      sourcemap: "inline",
      plugins: [ownPackage],
      compile: {
        target: `bun-${target}`,
        outfile: join(aside, basename(path)),
        execArgv: ["--no-install"],
        // As Bun itself does for an app on the disk.
        autoloadTsconfig: true,
        autoloadPackageJson: true,
      },
    });
    renameSync(join(aside, basename(path)), path);
    return statSync(path).size;
  } catch (error) {
    throw new BuildError(`${outfile}: ${told(error)}`, { cause: error });
  }
}

/** What the app imports of the server is what the server itself runs. */
const ownPackage: Bun.BunPlugin = {
  name: "gunicorn-ts",
  setup(build) {
    build.onResolve({ filter: /^gunicorn-ts$/ }, () => ({ path: ownFile("index") }));
  },
};

/** A module among the own files that exports what the app's does. */
function entryOf(app: string, folder: string): string {
  const path = resolveModule(parseReference(app), folder);
  const from = JSON.stringify(path);
  return `export * from ${from};\n${hasDefault(path) ? `export { default } from ${from};\n` : ""}`;
}

/** `export *` leaves it out, and naming one that there isn't is an error. CommonJS has one always. */
function hasDefault(path: string): boolean {
  const code = readFileSync(path, "utf8");
  const loader = /\.[cm]?ts$/.test(path) ? "ts" : path.endsWith(".tsx") ? "tsx" : "jsx";
  try {
    const { exports } = new Bun.Transpiler({ loader }).scan(code);
    return exports.includes("default") || (exports.length === 0 && /\bexports\b/.test(code));
  } catch {
    // A syntax error: the bundler says where.
    return false;
  }
}

/** What failed, in one line; the bundler tells each fault with its place. */
function told(error: unknown): string {
  const faults: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return faults
    .map((fault) => {
      const { message, position } = fault as Partial<BuildMessage>;
      const place =
        position == null ? "" : `${position.file}:${position.line}:${position.column}: `;
      return `${place}${message}`;
    })
    .join("; ");
}
