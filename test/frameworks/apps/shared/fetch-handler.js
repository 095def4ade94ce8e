/** All of it with nothing but Request and Response. */
import {
  encoded,
  events,
  file,
  large,
  left,
  measure,
  text,
  uploaded,
  waiting,
  wordByWord,
} from "./parts.js";

/** Answers a request. `address` is the client's. */
export async function handle(request, address) {
  const { pathname, searchParams } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /query":
    case "HEAD /query":
      return Response.json({ query: [...searchParams] });
    case "POST /json":
      return Response.json({ body: await request.json() });
    case "POST /form":
      return Response.json({ form: [...(await request.formData())] });
    case "POST /upload":
      return Response.json(await uploaded(await request.formData()));
    case "GET /stream":
      return new Response(encoded(wordByWord()), { headers: { "Content-Type": "text/plain" } });
    case "GET /sse":
      return new Response(encoded(events()), {
        headers: { "Content-Type": "text/event-stream" },
      });
    case "GET /cookies": {
      const response = new Response(request.headers.get("cookie"));
      response.headers.append("Set-Cookie", "a=1; Path=/");
      response.headers.append("Set-Cookie", "b=2; HttpOnly");
      return response;
    }
    case "GET /redirect":
      return Response.redirect("/query?a=redirected");
    case "GET /throw":
      throw new Error("on purpose");
    case "GET /large":
    case "HEAD /large":
      return new Response(large);
    case "POST /large":
      return Response.json(await measure(request.body));
    case "GET /file.txt":
      return new Response(Bun.file(file));
    case "GET /address":
      return new Response(address);
    case "GET /leave":
      return new Response(waiting(request.signal));
    case "GET /left":
      return new Response(String(left.count));
    case "GET /text":
      return new Response(text);
    default:
      return new Response("not here", { status: 404 });
  }
}
