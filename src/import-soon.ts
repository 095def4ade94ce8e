/**
 * Rooms that the start needn't wait for (bench: start) and that a process may need long after it. By then the package's files may
 * be those of the next version, or gone, so they are imported while the process is young.
 */

/** Later than the first answer of most. */
const soonMs = 1000;

/**
 * @param load imports the room
 * @returns `load`: Bun keeps what has been imported
 */
export function importSoon<T>(load: () => Promise<T>): () => Promise<T> {
  // Who asks for the room is told what is wrong.
  setTimeout(() => load().catch(() => {}), soonMs).unref();
  return load;
}
