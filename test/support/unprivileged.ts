/** A server without any capability, whoever runs the tests. */
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const isRoot = process.geteuid?.() === 0;
const nobody = 65534;

/** Runs a program as an ordinary user; nothing is needed where the tests are one. */
export const asNobody: readonly string[] = isRoot
  ? [
      "setpriv",
      `--reuid=${nobody}`,
      `--regid=${nobody}`,
      "--clear-groups",
      "--bounding-set=-all",
      "--inh-caps=-all",
    ]
  : [];

/** Whether asNobody works here: root needs setpriv for it. */
export const canBeNobody =
  process.platform === "linux" && (!isRoot || Bun.which("setpriv") !== null);

/** A folder for a server that everybody may write to. */
export function folderForAll(): string {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  chmodSync(folder, 0o777);
  return folder;
}
