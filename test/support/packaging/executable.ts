/** Executables that `gunicorn-ts build` makes, for a test file. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "../server.ts";

export interface Ran {
  readonly code: number;
  readonly told: string;
}

export class Executables implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));

  constructor() {
    // Servers that run as somebody else start from it too.
    chmodSync(this.folder, 0o755);
  }

  /** Runs `gunicorn-ts build` there, after writing files. */
  async run(words: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Ran> {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
    const run = Bun.spawn([process.execPath, program, "build", ...words], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], HOME: this.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const told = (await Promise.all([run.stdout.text(), run.stderr.text()])).join("");
    return { code: await run.exited, told };
  }

  /** The path of an executable, with an app inside if one is given. */
  async make(name: string, app: string | null = null): Promise<string> {
    const files = app === null ? {} : { [`${name}-app.ts`]: app };
    const words = [...(app === null ? [] : [`./${name}-app`]), "-o", name];
    const { code, told } = await this.run(words, files);
    if (code !== 0) throw new Error(`build ${words.join(" ")}: ${told}`);
    return join(this.folder, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
