/** Waits once, for nothing but its turn. */
export async function fetch(): Promise<Response> {
  await Promise.resolve();
  return new Response("Hello, World!\n");
}
