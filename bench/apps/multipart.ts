export async function fetch(request: Request): Promise<Response> {
  if (request.method === "GET") return new Response("POST me\n");
  const form = await request.formData();
  const file = form.get("file");
  return new Response(`${file instanceof Blob ? file.size : 0}\n`);
}
