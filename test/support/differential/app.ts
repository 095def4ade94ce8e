/** What every server of the differential test runs: it answers with what it made of the request. */

export interface Echo {
  readonly method: string;
  /** Path and query of request.url; of node:http the target as it was sent. */
  readonly url: string;
  /** Of request.url; node:http has none. */
  readonly host?: string;
  /** In lower case, sorted, repeated ones joined. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** In base64. */
  readonly body: string;
}

export async function fetch(request: Request): Promise<Response> {
  // Bun.serve's url has no origin when Host makes none.
  const { pathname, search, host } = new URL(request.url, "http://none");
  const body = Buffer.from(await request.arrayBuffer()).toString("base64");
  const headers = [...request.headers].sort();
  const json = JSON.stringify({
    method: request.method,
    url: pathname + search,
    host,
    headers,
    body,
  });
  // RFC 9110 §9.3.2, §9.3.6: these answers have no body.
  return request.method === "HEAD" || request.method === "CONNECT"
    ? new Response(null, { headers: { "x-echo": Buffer.from(json).toString("base64") } })
    : new Response(json);
}
