/** The files of an image, gathered from this machine. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export class ImageRoot {
  readonly #folder: string;
  readonly #placed = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    this.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    this.write("etc/group", "root:x:0:\n");
    mkdirSync(join(folder, "tmp"), { mode: 0o777 });
  }

  /** What is at `target` here is at `path` there. */
  place(path: string, target: string): void {
    if (this.#placed.has(path)) return;
    this.#placed.add(path);
    mkdirSync(join(this.#folder, dirname(path)), { recursive: true });
    symlinkSync(target, join(this.#folder, path));
  }

  /** The same, with the libraries that a program needs. */
  program(path: string, target: string): void {
    this.place(path, target);
    const { stdout } = Bun.spawnSync(["ldd", target], { stderr: "ignore" });
    for (const library of stdout.toString().match(/\/\S+/g) ?? []) {
      if (library !== `${target}:`) this.place(library.slice(1), library);
    }
  }

  write(path: string, text: string): void {
    mkdirSync(join(this.#folder, dirname(path)), { recursive: true });
    writeFileSync(join(this.#folder, path), text);
  }

  /** Writes a tar file of it, in which all is root's and everybody's to read. */
  pack(file: string): void {
    const words = ["--dereference", "--owner=0", "--group=0", "--mode=a+rX"];
    const { exitCode, stderr } = Bun.spawnSync([
      "tar",
      ...words,
      "-cf",
      file,
      "-C",
      this.#folder,
      ".",
    ]);
    if (exitCode !== 0) throw new Error(`tar: ${stderr.toString()}`);
  }
}
