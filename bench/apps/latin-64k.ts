/** A text that the engine keeps as Latin-1: each letter is two bytes on the wire. */
const text = "é".repeat(32_768);

export function fetch(): Response {
  return new Response(text);
}
