/** gunicorn-ts as its package has it: the bundle in place of the sources. */
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp } from "../clean-up.ts";
import { BenchError } from "../errors.ts";

/** Bundles the sources of a checkout, aside of it. Throws BenchError for one that makes no bundle. */
export class Package implements Disposable {
  /** Has what a checkout has to start a server. */
  readonly folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-bench-"));
  readonly #remove = cleanUp(() => rmSync(this.folder, { recursive: true }));

  constructor(checkout: string) {
    for (const name of [".ci", "bin", "src", "package.json"]) {
      cpSync(join(checkout, name), join(this.folder, name), { recursive: true });
    }
    symlinkSync(join(checkout, "node_modules"), join(this.folder, "node_modules"));
    const build = Bun.spawnSync([process.execPath, "run", "bundle"], { cwd: this.folder });
    if (build.success && existsSync(join(this.folder, "dist"))) {
      rmSync(join(this.folder, "src"), { recursive: true });
      return;
    }
    this.#remove();
    throw new BenchError(`${checkout} makes no package: ${build.stderr.toString().trim()}`);
  }

  [Symbol.dispose](): void {
    this.#remove();
  }
}
