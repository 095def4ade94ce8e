/**
 * Imports a file. The runtime evaluates a file once for each name: one that has changed is evaluated again under
 * another `load`. What the file itself imports stays as it was first imported.
 * @param load 0: as everybody who imports the file gets it
 */
export async function importModule(
  path: string,
  load = 0,
): Promise<Readonly<Record<string, unknown>>> {
  // A file: URL would lose its query, and with it the second evaluation.
  return (await import(load === 0 ? path : `${path}?load=${load}`)) as Record<string, unknown>;
}

/** A message, a path or a stack, as if no file had been imported anew. */
export function withoutLoad(text: string): string {
  return text.replaceAll(/\?load=\d+/g, "");
}
