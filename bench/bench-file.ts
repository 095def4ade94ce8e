/** A file for the apps to serve: made once, whole before it has its name, since several servers share it. */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function benchFile(sizeBytes: number): string {
  const path = join(tmpdir(), `gunicorn-ts-bench-${process.getuid?.()}-${sizeBytes}`);
  if (existsSync(path)) return path;
  const own = `${path}.${process.pid}`;
  writeFileSync(own, Buffer.alloc(sizeBytes, "x"));
  renameSync(own, path);
  return path;
}
