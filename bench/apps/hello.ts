export function fetch(): Response {
  return new Response("Hello, World!\n");
}
