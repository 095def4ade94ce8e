/** What must not outlive the bench: undone in its turn, or all at once when the bench is interrupted. */

const pending = new Set<() => void>();

/** Registers an undoing: it runs when the result is disposed of, or at Ctrl-C. It mustn't wait. */
export function cleanUp(undo: () => void): Disposable {
  pending.add(undo);
  return {
    [Symbol.dispose]() {
      if (pending.delete(undo)) undo();
    },
  };
}

export function cleanUpOnSignals(): void {
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    process.on(name, () => {
      for (const undo of pending) undo();
      process.exit(128 + number);
    });
  }
}
