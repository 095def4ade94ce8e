/**
 * Rooms that the start needn't wait for (bench: start) and that a process may need long after it. By then the package's files may
 * be those of the next version, or gone, so they are imported while the process is young.
 */

/** Later than the first answer of most. */
const soonMs = 1000;

/**
 * @param load imports the room
 * @returns gives the room: at once where it is imported, else by importing it now. What has failed is tried anew.
 */
export function importSoon<T>(load: () => Promise<T>): () => Promise<T> {
  let room: Promise<T> | null = null;
  const get = (): Promise<T> => {
    room ??= load().catch((error: unknown) => {
      room = null;
      throw error;
    });
    return room;
  };
  // Who asks for the room is told what is wrong.
  setTimeout(() => get().catch(() => {}), soonMs).unref();
  return get;
}
