/** What ps and top show of this process. Linux only: elsewhere nothing changes. */
import { type Pointer, toArrayBuffer } from "bun:ffi";
import { readFileSync, writeFileSync } from "node:fs";

/** The kernel's limit of a command name, without the terminator. */
const nameBytes = 15;

let area: Uint8Array | null = null;
let typed: readonly string[] | null = null;

/**
 * The words that this process was started with, as they were typed, whatever title it has by now. Where the system
 * doesn't say, the paths that the runtime has made of them.
 */
export function typedWords(): readonly string[] {
  return (typed ??= commandLine() ?? [process.execPath, ...process.argv.slice(1)]);
}

function commandLine(): readonly string[] | null {
  if (process.platform !== "linux") return null;
  try {
    const words = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
    return words.length > 0 ? words : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

/**
 * Overwrites the command line, as far as there is room, and the command name with its first 15 bytes.
 * Bun has copied the words for process.argv by then.
 */
export function setProcessTitle(title: string): void {
  if (process.platform !== "linux") return;
  const bytes = new TextEncoder().encode(title);
  area ??= argumentArea();
  if (area.length > 0) typedWords();
  area.fill(0);
  // A last byte that isn't NUL would make the kernel read on into the environment.
  area.set(bytes.subarray(0, Math.max(0, area.length - 1)));
  try {
    writeFileSync("/proc/self/comm", bytes.subarray(0, nameBytes));
  } catch (error) {
    // A sandbox with a read-only /proc: a title is no reason to fail.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** Gunicorn's titles: `gunicorn: master [app:fetch]`. */
export function processTitle(
  role: "master" | "worker",
  names: { readonly procName: string | null; readonly defaultProcName: string },
): string {
  return `gunicorn: ${role} [${names.procName ?? names.defaultProcName}]`;
}

/** The memory that the kernel shows as this process's command line; empty where it doesn't say. */
function argumentArea(): Uint8Array {
  const [start = 0, end = 0] = argumentAddresses(statLine());
  if (start <= 0 || end <= start) return new Uint8Array();
  return new Uint8Array(toArrayBuffer(start as Pointer, 0, end - start));
}

function statLine(): string {
  try {
    return readFileSync("/proc/self/stat", "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    // No /proc in this container.
    return "";
  }
}

/** arg_start and arg_end, fields 48 and 49 of proc_pid_stat(5); the second field may hold blanks and brackets. */
export function argumentAddresses(stat: string): number[] {
  return stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(45, 47)
    .map(Number);
}
