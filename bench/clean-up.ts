/** What must not outlive the bench: undone in its turn, or all at once when the bench is interrupted. */

const pending = new Set<() => void>();

/** Registers an undoing, and returns what undoes it now. At Ctrl-C it is undone too; it mustn't wait. */
export function cleanUp(undo: () => void): () => void {
  pending.add(undo);
  return () => {
    if (pending.delete(undo)) undo();
  };
}

export function cleanUpOnSignals(): void {
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    process.on(name, () => {
      for (const undo of pending) attempt(undo);
      process.exit(128 + number);
    });
  }
}

/** One that fails must not keep the others from being undone: processes would be left. */
function attempt(undo: () => void): void {
  try {
    undo();
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  }
}
