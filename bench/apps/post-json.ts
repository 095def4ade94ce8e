export async function fetch(request: Request): Promise<Response> {
  if (request.method === "GET") return new Response("POST me\n");
  const value = (await request.json()) as { readonly text: string };
  return new Response(`${value.text.length}\n`);
}
