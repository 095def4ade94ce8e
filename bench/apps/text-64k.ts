const text = "x".repeat(65_536);

export function fetch(): Response {
  return new Response(text);
}
