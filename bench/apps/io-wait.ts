/** Waits for 20 ms, as for a database. */
export async function fetch(): Promise<Response> {
  await Bun.sleep(20);
  return new Response("Hello, World!\n");
}
